"""The test set that choices are made by."""

import numpy as np
import pytest

from adkit import load_dataset
from adkit.defects.stand_in import HELD_OUT, TRAINED, stand_in_metrics, stand_ins
from adkit.detectors.fusion import MEMBERS
from adkit.detectors.registry import detector_class


@pytest.fixture(scope="module")
def validation():
    return load_dataset("textile", image_size=(64, 96)).validation


def test_types_that_choose_are_never_trained_on():
    assert not set(HELD_OUT) & set(TRAINED)
    for member in MEMBERS:
        settings = detector_class(member["method"])(**{k: v for k, v in member.items() if k != "method"}).settings
        defects = getattr(settings, "defects", None)
        shown = defects["defect_types"] if isinstance(defects, dict) else [defects] if defects else []
        assert set(shown) <= set(TRAINED)


def test_equal_seeds_make_equal_images_and_every_type_has_its_number(validation):
    first, again, other = (stand_ins(validation, per_kind=2, seed=seed) for seed in (0, 0, 1))
    assert all(bool((a.image == b.image).all()) and (a.mask == b.mask).all() for a, b in zip(first, again, strict=True))
    assert not all(bool((a.image == b.image).all()) for a, b in zip(first, other, strict=True))
    kinds = [image.kind for image in first]
    assert {kind: kinds.count(kind) for kind in HELD_OUT} == dict.fromkeys(HELD_OUT, 2)
    assert kinds.count("good") == 4
    assert all(image.mask.any() == (image.kind != "good") for image in first)


def test_a_perfect_map_has_quality_1_and_a_blind_one_little(validation):
    images = stand_ins(validation, per_kind=2)
    perfect = stand_in_metrics([image.mask.astype(float) for image in images], [i.mask.any() for i in images], images)
    assert perfect.quality == pytest.approx(1.0)
    assert perfect.image_auroc == 1.0
    assert set(perfect.by_kind) == set(HELD_OUT)
    draw = np.random.default_rng(0)
    blind = stand_in_metrics([draw.random(i.mask.shape) for i in images], draw.random(len(images)), images)
    assert blind.quality < 0.2


def test_without_a_defect_there_is_nothing_to_measure(validation):
    images = [image for image in stand_ins(validation, per_kind=1) if image.kind == "good"]
    with pytest.raises(ValueError, match="no stand-in has a defect"):
        stand_in_metrics([image.mask.astype(float) for image in images], [0.0] * len(images), images)
