"""Evaluation: original sizes, missing truth, groups and intervals, and the same numbers as adkit.metrics."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from adkit import AutoencoderDetector, evaluate, load_dataset, metrics
from adkit.detectors.prediction import Predictions
from adkit.experiments.evaluation import Evaluation, image_level, pixel_level, tile_level
from tests.conftest import TINY
from tests.data_files import write_image, write_mvtec


@pytest.fixture(scope="module")
def judged(splits, fitted):
    return fitted.predict_dataset(splits.test)


@pytest.fixture(scope="module")
def evaluation(splits, fitted):
    return evaluate(fitted, splits.test, bootstrap=50)


def test_values_are_those_of_the_metrics_on_the_same_maps(judged, fitted, evaluation):
    images, pixels = (
        metrics.image_metrics(judged.labels, judged.scores),
        metrics.pixel_metrics(judged.masks, judged.maps),
    )
    flagged = judged.scores >= fitted.threshold
    assert (evaluation.image_auroc, evaluation.image_ap, evaluation.f1_oracle) == (
        images.auroc,
        images.ap,
        images.f1_max,
    )
    assert (evaluation.pixel_auroc, evaluation.pixel_ap, evaluation.pro) == (pixels.auroc, pixels.ap, pixels.pro)
    assert evaluation.pixel_f1_oracle == pixels.f1_max
    assert evaluation.iou_at_threshold == metrics.iou(judged.masks, [m >= fitted.pixel_threshold for m in judged.maps])
    assert evaluation.f1_at_threshold == metrics.f1(judged.labels, flagged) <= evaluation.f1_oracle
    assert evaluation.recall == flagged[judged.labels == 1].mean()
    assert evaluation.false_positive_rate == flagged[judged.labels == 0].mean()
    assert evaluation.threshold == fitted.threshold
    assert evaluation["pro"] == evaluation.pro
    assert evaluation.notes == {}
    assert evaluation.tile_auroc is None  # the frames are no strips


def test_images_are_listed_one_by_one(judged, evaluation):
    assert [row["path"] for row in evaluation.images] == judged.paths
    assert [row["score"] for row in evaluation.images] == list(judged.scores)
    assert (
        sum(row["flagged"] for row in evaluation.images if row["kind"] == "good") == 50 * evaluation.false_positive_rate
    )


def test_each_kind_stands_against_all_normals(judged, evaluation):
    assert set(evaluation.by_kind) == {"bright", "dark", "brightness", "texture", "dots"}
    for kind, row in evaluation.by_kind.items():
        rows = [i for i, each in enumerate(judged.kinds) if each in (kind, "good")]
        masks, maps = [judged.masks[i] for i in rows], [judged.maps[i] for i in rows]
        assert row["n"] == 10
        assert row["image_auroc"] == metrics.auroc(judged.labels[rows], judged.scores[rows])
        assert row["pro"] == metrics.pro_score(masks, maps)
        assert row["pixel_ap"] == metrics.pixel_metrics(masks, maps).ap
    assert np.mean([row["recall"] for row in evaluation.by_kind.values()]) == pytest.approx(evaluation.recall)


def test_sizes_share_one_pro(evaluation, judged):
    groups = evaluation.by_size
    assert [set(group) for group in groups] == [{"low", "high", "n_regions", "pro"}] * 3
    assert sum(group["n_regions"] for group in groups) == metrics.pixel_metrics(judged.masks, judged.maps).n_regions
    assert np.average([g["pro"] for g in groups], weights=[g["n_regions"] for g in groups]) == pytest.approx(
        evaluation.pro
    )
    assert groups[-1]["high"] is None


def test_intervals_are_named_as_the_values_are(splits, fitted, evaluation):
    names = {"image_auroc", "image_ap", "f1_oracle", "f1_at_threshold", "recall", "false_positive_rate"}
    assert set(evaluation.intervals) == names | {"pixel_auroc", "pixel_ap", "pro", "pro_macro", "pixel_f1_oracle"}
    for name, (low, high) in evaluation.intervals.items():
        assert low <= evaluation[name] <= high
    assert evaluate(fitted, splits.test, bootstrap=0).intervals == {}


def test_an_evaluation_survives_json(evaluation):
    stored = json.loads(json.dumps(evaluation.as_dict(), allow_nan=False))
    assert Evaluation.from_dict(stored) == evaluation
    assert Evaluation.from_dict({"pro": 0.5, "of_a_later_version": 1}) == Evaluation(pro=0.5)


def test_maps_come_at_the_size_of_the_original_masks(tmp_path):
    write_mvtec(tmp_path, good=4)
    odd = tmp_path / "tile/test/crack/900.png"
    write_image(odd, seed=9, size=(40, 50))
    Image.fromarray(np.eye(40, 50, dtype=np.uint8) * 255).save(tmp_path / "tile/ground_truth/crack/900_mask.png")
    for settings in ({"image_size": (16, 16)}, {"tile": 16, "overlap": 4}):
        splits = load_dataset("mvtec", root=tmp_path, category="tile", **settings)
        with pytest.warns(UserWarning, match="validation images"):
            detector = AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
        judged = detector.predict_dataset(splits.test)
        assert [m.shape for m in judged.maps] == [m.shape for m in judged.masks] == [(24, 32)] * 7 + [(40, 50)]
        assert evaluate(detector, splits.test, bootstrap=10).by_kind["crack"]["n"] == 4


def test_images_without_a_mask_count_for_image_metrics_only(tmp_path):
    folder = write_mvtec(tmp_path, kinds=("crack", "scratch"))
    for mask in (folder / "ground_truth/scratch").iterdir():
        mask.unlink()
    with pytest.warns(UserWarning, match="3 of 6 anomalous images have no mask file"):
        splits = load_dataset("mvtec", root=tmp_path, category="tile")
    with pytest.warns(UserWarning, match="validation images"):
        detector = AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
    found = evaluate(detector, splits.test, bootstrap=0)
    assert found.notes == {"masks": "3 anomalous image(s) have no mask and count for image metrics only"}
    assert found.image_auroc is not None
    assert found.by_kind["crack"]["pro"] == found.pro
    assert found.by_kind["scratch"]["pro"] is found.by_kind["scratch"]["pixel_auroc"] is None
    assert found.by_kind["scratch"]["image_auroc"] is not None
    only = splits.test.subset([i for i, kind in enumerate(splits.test.kinds) if kind != "crack"])
    blind = evaluate(detector, only, bootstrap=10)
    assert blind.pixel_auroc is blind.pro is blind.iou_at_threshold is None
    assert blind.notes["pixel metrics"] == "no image of the test part has a mask with a defect in it"
    assert {"image_auroc", "recall"} <= set(blind.intervals)
    assert not {"pro", "pro_macro", "pixel_ap"} & set(blind.intervals)


def test_a_test_part_of_one_class_ranks_nothing(splits, fitted):
    normals = evaluate(fitted, splits.test.subset(np.flatnonzero(splits.test.labels == 0)), bootstrap=10)
    assert normals.image_auroc is normals.f1_at_threshold is normals.recall is normals.pixel_auroc is None
    assert 0 <= normals.false_positive_rate <= 1
    assert normals.notes["image metrics"] == "the test part holds no defective image, so nothing can be ranked"
    defective = evaluate(fitted, splits.test.subset(np.flatnonzero(splits.test.labels)), bootstrap=0)
    assert defective.image_auroc is defective.false_positive_rate is None
    assert defective.pro is not None
    assert defective.by_kind["dots"]["image_auroc"] is None
    assert defective.notes["image metrics"].startswith("the test part holds no normal image")


def some(kinds, masks, shape=(8, 8)):
    """Judged images whose maps are noise and whose masks have one pixel where wanted; None: no mask."""
    truth = [None if marked is None else np.eye(*shape, dtype=bool) & bool(marked) for marked in masks]
    maps = [np.random.default_rng(i).uniform(0.1, 1, shape) for i in range(len(kinds))]
    labels = np.array([kind != "good" for kind in kinds], int)
    return Predictions(
        maps, truth, np.array([one.max() for one in maps]), labels, list(kinds), list(map(str, range(len(kinds))))
    )


def test_a_kind_with_empty_masks_has_no_pixel_metrics():
    judged = some(["good", "hole", "ghost"], [0, 1, 0])
    _, by_kind, _ = pixel_level(judged, 0.5, 0.3)
    assert set(by_kind) == {"hole"}
    _, by_kind, _ = image_level(judged, 0.5)
    assert set(by_kind) == {"hole", "ghost"}


def test_long_strips_are_also_judged_by_tiles():
    judged = some(["good", "hole"], [0, 1], shape=(16, 600))
    labels = [False] * 3 + [True, False, False]
    scores = [one[:, left : left + 256].max() for one in judged.maps for left in (0, 256, 512)]
    assert tile_level(judged) == metrics.auroc(labels, scores)
    assert tile_level(some(["good", "hole"], [0, 0], shape=(16, 600))) is None
    assert tile_level(some(["good", "hole"], [0, None], shape=(16, 600))) is None
    judged.maps[0][:, 256:] = 0  # off the fabric
    assert tile_level(judged) == metrics.auroc(labels[:1] + labels[3:], scores[:1] + scores[3:])


def test_wrong_limits_and_unfitted_detectors_are_refused(splits, fitted):
    with pytest.raises(ValueError, match=r"fpr_limit must lie in \(0, 1\]"):
        evaluate(fitted, splits.test, fpr_limit=7.0)
    with pytest.raises(RuntimeError, match="has not been fitted"):
        evaluate(AutoencoderDetector(**TINY), splits.test)


def test_evaluate_knows_nothing_of_a_detector_but_its_interface(splits, judged, evaluation):
    stand_in = SimpleNamespace(
        predict_dataset=lambda dataset: judged,
        threshold=evaluation.threshold,
        pixel_threshold=float("inf"),
    )
    assert evaluate(stand_in, splits.test, bootstrap=0).iou_at_threshold == 0
