"""Exact pixel and image metrics: equal to scikit-learn and to a slow PRO, and invariant where they must be."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, jaccard_score, precision_recall_curve, roc_auc_score

from adkit.metrics import (
    auroc,
    average_precision,
    f1,
    f1_max,
    image_metrics,
    iou,
    pixel_metrics,
    pro_score,
    region_areas,
    regions,
)
from tests.metric_references import DISTRIBUTIONS, blobs, slow_pro


def scene(seed=0, name="uniform", count=6, defective=3, size=(24, 30)):
    rng = np.random.default_rng(seed)
    masks = blobs(rng, count, *size, defective)
    return masks, DISTRIBUTIONS[name](rng, masks)


def same(a, b):
    return all(
        getattr(a, name) == pytest.approx(getattr(b, name), abs=1e-12) for name in ("auroc", "ap", "pro", "f1_max")
    )


def check_against_references(masks, maps, fpr_limit=0.3):
    metrics = pixel_metrics(masks, maps, fpr_limit)
    truth = np.concatenate([mask.ravel() for mask in masks])
    scores = np.concatenate([each.ravel() for each in maps]).astype(np.float64)
    precision, recall, _ = precision_recall_curve(truth, scores)
    best = np.max(2 * precision * recall / np.maximum(precision + recall, 1e-300))
    assert metrics.auroc == pytest.approx(roc_auc_score(truth, scores), abs=1e-9)
    assert metrics.ap == pytest.approx(average_precision_score(truth, scores), abs=1e-9)
    assert metrics.f1_max == pytest.approx(best, abs=1e-9)
    assert f1(truth, scores >= metrics.f1_threshold) == pytest.approx(metrics.f1_max, abs=1e-12)
    assert metrics.pro == pytest.approx(slow_pro(masks, maps, fpr_limit), abs=1e-9)
    assert metrics.pro == pro_score(masks, maps, fpr_limit)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_equal_to_references(name, dtype):
    masks, maps = scene(3, name)
    with np.errstate(over="ignore"):
        maps = np.clip(maps, -6e4, 6e4).astype(dtype)
    check_against_references(masks, maps)


@pytest.mark.parametrize("fpr_limit", [1e-3, 0.05, 0.3, 0.5, 1.0])
def test_equal_to_references_at_any_limit(fpr_limit):
    check_against_references(*scene(4), fpr_limit)
    check_against_references(*scene(4, "3 levels"), fpr_limit)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), levels=st.integers(1, 40), limit=st.floats(0.001, 1.0))
def test_equal_to_references_on_small_images_with_ties(seed, levels, limit):
    rng = np.random.default_rng(seed)
    sizes = [(5, 7), (3, 3), (6, 2)]
    masks = [rng.random(size) < 0.3 for size in sizes]
    masks[0][0, :2] = True, False
    check_against_references(masks, [rng.integers(levels, size=size) / levels for size in sizes], limit)


def test_perfect_inverted_and_constant_scores():
    masks, _ = scene()
    assert same(pixel_metrics(masks, masks.astype(float)), pixel_metrics(masks, masks * 5.0 - 2))
    perfect = pixel_metrics(masks, masks.astype(np.float32))
    assert (perfect.auroc, perfect.ap, perfect.pro, perfect.f1_max) == (1.0, 1.0, 1.0, 1.0)
    inverted = pixel_metrics(masks, -masks.astype(float))
    assert (inverted.auroc, inverted.pro) == (0.0, 0.0)
    constant = pixel_metrics(masks, np.ones(masks.shape))
    assert constant.auroc == pytest.approx(0.5)
    assert constant.pro == pytest.approx(0.15)  # the diagonal up to 0.3
    assert constant.ap == pytest.approx(masks.mean())


def test_counts():
    masks, maps = scene()
    metrics = pixel_metrics(masks, maps)
    assert metrics.n_images == 6
    assert metrics.n_pixels == masks.size
    assert metrics.n_defective == masks.sum()
    assert metrics.n_regions == region_areas(masks).size
    assert metrics.fpr_limit == 0.3


def test_monotone_transform_and_image_order_change_nothing():
    masks, maps = scene(1)
    expected = pixel_metrics(masks, maps)
    assert same(pixel_metrics(masks, np.exp(3 * maps)), expected)
    order = np.random.default_rng(0).permutation(len(masks))
    assert same(pixel_metrics(masks[order], maps[order]), expected)


def test_arrays_lists_and_tensors_agree():
    masks, maps = scene(2)
    expected = pixel_metrics(masks, maps)
    assert same(pixel_metrics(list(masks), list(maps)), expected)
    assert same(pixel_metrics(masks.astype(np.uint8), torch.from_numpy(maps).requires_grad_()), expected)
    half = torch.from_numpy(maps).bfloat16()
    assert same(pixel_metrics(torch.from_numpy(masks), half), pixel_metrics(masks, half.double()))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_tensors_on_a_gpu():
    masks, maps = scene(2)
    assert same(
        pixel_metrics(torch.from_numpy(masks).cuda(), torch.from_numpy(maps).cuda()), pixel_metrics(masks, maps)
    )


def test_inputs_stay_as_they_were():
    masks, maps = scene()
    before = maps.copy()
    pixel_metrics(masks[:1] & False | masks[:1], maps[:1])
    pixel_metrics(masks, maps)
    np.testing.assert_array_equal(maps, before)


def test_regions_touch_at_corners_and_weigh_the_same():
    mask = np.zeros((6, 6), dtype=bool)
    mask[0, 0] = mask[1, 1] = mask[4:, 4:] = True
    labels, count = regions(mask)
    assert count == 2
    assert labels[0, 0] == labels[1, 1] != labels[5, 5]
    assert region_areas(mask[None]).tolist() == [2, 4]
    assert regions(np.zeros((3, 3)))[1] == 0
    found_first = np.where(labels == labels[0, 0], 1.0, np.where(mask, 0.0, 0.5))
    assert pro_score(mask[None], found_first[None]) == pytest.approx(0.5)


def test_image_metrics():
    labels, scores = np.array([0, 1, 0, 1, 1, 0]), np.array([0.1, 0.4, 0.4, 0.8, 0.2, 0.2])
    metrics = image_metrics(labels, scores)
    assert metrics.auroc == auroc(labels, scores) == pytest.approx(roc_auc_score(labels, scores))
    assert metrics.ap == average_precision(labels, scores) == pytest.approx(average_precision_score(labels, scores))
    assert metrics.f1_max == f1_max(labels, scores) == pytest.approx(0.75)
    assert metrics.f1_threshold == 0.2 or metrics.f1_threshold == 0.4
    assert (metrics.n_normal, metrics.n_defective) == (3, 3)
    assert image_metrics(torch.from_numpy(labels), torch.from_numpy(scores)) == metrics
    assert image_metrics(labels.tolist(), scores.tolist()) == metrics


def test_f1_and_iou_of_predictions():
    rng = np.random.default_rng(0)
    truth, predictions = rng.random(50) < 0.4, rng.random(50) < 0.5
    assert f1(truth, predictions) == pytest.approx(f1_score(truth, predictions))
    assert iou(truth, predictions) == pytest.approx(jaccard_score(truth, predictions))
    assert iou([truth[:20].reshape(4, 5), truth[20:]], [predictions[:20].reshape(4, 5), predictions[20:]]) == iou(
        truth, predictions
    )


MASK = np.array([[[0, 0, 1, 1]]])
MAP = np.array([[[0.1, 0.2, 0.3, 0.4]]])


@pytest.mark.parametrize(
    "masks, maps, limit, message",
    [
        (MASK, np.where(MASK, np.nan, MAP), 0.3, "finite"),
        (MASK, np.where(MASK, MAP, np.nan), 0.3, "finite"),
        (MASK, np.where(MASK, MAP, np.inf), 0.3, "finite"),
        (MASK, np.where(MASK, MAP, -np.inf), 0.3, "finite"),
        (MASK, np.where(MASK, np.inf, MAP), 0.3, "finite"),
        (MASK * 0, MAP, 0.3, "no defective"),
        (MASK * 0 + 1, MAP, 0.3, "no normal"),
        (MASK, MAP[..., :3], 0.3, r"\(1, 4\).*\(1, 3\).*index 0"),
        (MASK, np.repeat(MAP, 2, axis=0), 0.3, "1 masks and 2 maps"),
        (MASK[:0], MAP[:0], 0.3, "no image"),
        ([], [], 0.3, "no image"),
        (MASK[0], MAP[0], 0.3, r"\(N, H, W\)"),
        ([MASK], [MAP], 0.3, r"must be \(H, W\) each.*index 0"),
        (MASK * 255, MAP, 0.3, "only 0 and 1.*255"),
        (MASK, MAP, 0.0, "fpr_limit"),
        (MASK, MAP, 1.1, "fpr_limit"),
        (MASK, MAP, float("nan"), "fpr_limit"),
    ],
)
@pytest.mark.parametrize("function", [pixel_metrics, pro_score])
def test_refusals(function, masks, maps, limit, message):
    with pytest.raises(ValueError, match=message):
        function(masks, maps, limit)


@pytest.mark.parametrize(
    "labels, scores, message",
    [
        ([0, 1], [0.1, np.nan], "finite"),
        ([0, 0], [0.1, 0.2], "no defective"),
        ([1, 1], [0.1, 0.2], "no normal"),
        ([0, 1, 1], [0.1, 0.2], "3 and 2"),
        ([], [], "empty"),
        ([0, 2], [0.1, 0.2], "only 0 and 1"),
    ],
)
def test_refusals_of_labels(labels, scores, message):
    for function in (image_metrics, auroc, average_precision, f1_max):
        with pytest.raises(ValueError, match=message):
            function(labels, scores)


def test_refusals_of_predictions_and_masks():
    with pytest.raises(ValueError, match="predictions must hold only 0 and 1"):
        f1([0, 1], [0.2, 0.7])
    with pytest.raises(ValueError, match="labels hold no 1"):
        f1([0, 0], [0, 1])
    with pytest.raises(ValueError, match="both empty"):
        iou([0, 0], [0, 0])
    with pytest.raises(ValueError, match="masks and predictions must be equal in size"):
        iou([0, 0], [0])
    with pytest.raises(ValueError, match=r"mask must be \(H, W\)"):
        regions(MASK)
