"""Curves for figures, and metrics by defect type and by size."""

import numpy as np
import pytest
from scipy.integrate import trapezoid
from sklearn import metrics as reference

from adkit.metrics import (
    image_metrics_by_kind,
    pixel_metrics,
    pixel_metrics_by_kind,
    pr_curve,
    pro_by_size,
    pro_curve,
    pro_score,
    region_areas,
    roc_curve,
)
from tests.metric_references import DISTRIBUTIONS, blobs


@pytest.fixture(params=["uniform", "8 bits"])
def scene(request):
    rng = np.random.default_rng(5)
    masks = blobs(rng, 8, 30, 40, 5)
    return masks, DISTRIBUTIONS[request.param](rng, masks)


def test_roc_curve_lies_on_the_reference(scene):
    masks, maps = scene
    fpr, tpr, thresholds = roc_curve(masks, maps)
    x, y, _ = reference.roc_curve(masks.ravel(), maps.ravel())
    np.testing.assert_allclose(trapezoid(tpr, fpr), trapezoid(y, x), atol=1e-12)
    assert (fpr[0], tpr[0], fpr[-1], tpr[-1]) == (0, 0, 1, 1)
    for k in range(0, fpr.size, 97):
        found = maps >= thresholds[k]
        assert fpr[k] == pytest.approx(found[~masks].mean())
        assert tpr[k] == pytest.approx(found[masks].mean())


def test_pr_curve_lies_on_the_reference(scene):
    masks, maps = scene
    recall, precision, thresholds = pr_curve(masks, maps)
    gained = np.diff(recall, prepend=0)
    assert (gained * precision).sum() == pytest.approx(reference.average_precision_score(masks.ravel(), maps.ravel()))
    assert recall[-1] == 1
    assert precision[10] == pytest.approx(reference.precision_score(masks.ravel(), maps.ravel() >= thresholds[10]))


def test_pro_curve_gives_the_score(scene):
    masks, maps = scene
    fpr, pro, thresholds = pro_curve(masks, maps)
    inside = fpr <= 0.3
    end = np.interp(0.3, fpr, pro)
    area = trapezoid(np.append(pro[inside], end), np.append(fpr[inside], 0.3)) / 0.3
    assert area == pytest.approx(pro_score(masks, maps))
    assert (np.diff(fpr) >= 0).all()
    assert (np.diff(pro) >= 0).all()
    assert (np.diff(thresholds) <= 0).all()


@pytest.mark.parametrize("points", [2, 7, 100])
def test_thinned_curves_keep_their_ends_and_shape(scene, points):
    for curve in (roc_curve, pro_curve, pr_curve):
        x, y, _ = curve(*scene)
        thin_x, thin_y, thresholds = curve(*scene, points=points)
        assert thin_x.size == thin_y.size == thresholds.size <= points
        assert (thin_x[0], thin_y[0], thin_x[-1], thin_y[-1]) == (x[0], y[0], x[-1], y[-1])
        assert set(zip(thin_x, thin_y, strict=True)) <= set(zip(x, y, strict=True))
    fpr, pro, _ = pro_curve(*scene, points=100)
    assert trapezoid(pro, fpr) == pytest.approx(pro_score(*scene, fpr_limit=1.0), abs=0.01)


def test_one_point_is_no_curve(scene):
    with pytest.raises(ValueError, match="at least 2"):
        roc_curve(*scene, points=1)


def test_pro_by_size_averages_to_pro(scene):
    masks, maps = scene
    groups = pro_by_size(masks, maps)
    areas = region_areas(masks)
    assert len(groups) == 3
    assert sum(group.n_regions for group in groups) == areas.size
    assert [group.n_regions for group in groups] == [((areas > g.low) & (areas <= g.high)).sum() for g in groups]
    mean = sum(group.pro * group.n_regions for group in groups) / areas.size
    assert mean == pytest.approx(pro_score(masks, maps), abs=1e-12)
    whole = pro_by_size(masks, maps, edges=[])
    assert whole[0].pro == pytest.approx(pro_score(masks, maps), abs=1e-12)


def test_pro_by_size_without_a_region_of_that_size(scene):
    small, large = pro_by_size(*scene, edges=[1e6])
    assert (large.n_regions, large.pro) == (0, None)
    assert small.pro == pytest.approx(pro_score(*scene), abs=1e-12)


def test_pro_by_size_refuses(scene):
    masks, maps = scene
    with pytest.raises(ValueError, match="edges must rise"):
        pro_by_size(masks, maps, edges=[10, 5])
    with pytest.raises(ValueError, match="fpr_limit"):
        pro_by_size(masks, maps, fpr_limit=2)
    with pytest.raises(ValueError, match="no defective"):
        pro_by_size(masks & False, maps)


def test_by_kind_takes_that_kind_and_all_normals(scene):
    masks, maps = scene
    kinds = ["hole", "stain", "hole", "stain", "stain", "good", "good", "good"]
    rows = [0, 2, 5, 6, 7]
    by_kind = pixel_metrics_by_kind(masks, maps, kinds)
    assert list(by_kind) == ["hole", "stain"]
    assert by_kind["hole"] == pixel_metrics(masks[rows], maps[rows])
    scores = maps.max(axis=(1, 2))
    images = image_metrics_by_kind(kinds, scores)
    assert (images["stain"].n_defective, images["stain"].n_normal) == (3, 3)
    assert images["stain"].auroc == reference.roc_auc_score([0, 0, 0, 1, 1, 1], scores[[5, 6, 7, 1, 3, 4]])


def test_by_kind_refuses_kinds_of_another_number(scene):
    with pytest.raises(ValueError, match="2 kinds and 8 images"):
        pixel_metrics_by_kind(*scene, ["good", "hole"])
    with pytest.raises(ValueError, match="1 kinds and 2 images"):
        image_metrics_by_kind(["good"], [0.1, 0.2])
