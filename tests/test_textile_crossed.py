"""The crossed test part of the textile: any type at any size and severity; and the types that change a whole frame."""

import json
from collections import Counter

import numpy as np
import pytest

from adkit import Experiment, load_dataset
from adkit.data.textile import DEFECT_TYPES, FABRICS, WHOLE_FRAME_TYPES, Textile
from adkit.data.textile import loom as loom_module
from adkit.data.textile.loom import longest_side

SMALL = (64, 96)
SIZES, SEVERITIES = [20, 48], [0.3, 1.0]
# all of the set before there were any options: train, validation and test at the default size
FINGERPRINTS = {
    None: "6950bfbb79b5928a36ff9c54c5c20363a04c7ce317488f97b04ebb71a79266e0",
    "calico": "1fb04d6395aa20ab64f165677b503490b6f8e7c4d54e37699f88f7350ff672f6",
    "gabardine": "adf77488b01c841ac197009960e6ccf828f6c02889152090387b93bf865d0bfc",
    "denim": "e23819a6bae92f63a40d6486cdbeda0649a224439070448875f10077b3543690",
    "sateen": "9334f271aa3d87ec8e2994d4305f9cf8e842ea784843d5bf7f6640590090cdad",
    "hopsack": "3c6f48200b5dc07671c48000f129715d155f733b603aa14afe5cd954ac9c3f0b",
}


@pytest.fixture(scope="module")
def crossed():
    return load_dataset("textile", image_size=SMALL, sizes=SIZES, severities=SEVERITIES)


@pytest.mark.parametrize("category", FINGERPRINTS)
def test_the_default_set_stays(category):
    assert load_dataset("textile", category=category).fingerprint == FINGERPRINTS[category]


def test_each_combination_has_as_many_frames(crossed):
    test = crossed.test
    cells = Counter(
        (kind, details["size"], details["severity"])
        for kind, details in zip(test.kinds, test.details, strict=True)
        if kind != "good"
    )
    assert set(cells) == {(kind, size, severity) for kind in DEFECT_TYPES for size in SIZES for severity in SEVERITIES}
    assert set(cells.values()) == {3}  # the fewest that make 50
    assert test.details[0] == {"size": None, "severity": None}
    fabrics = Counter(zip(test.kinds[50:], test.categories[50:], strict=True))
    assert max(fabrics.values()) - min(fabrics.values()) <= 1
    assert len(fabrics) == len(DEFECT_TYPES) * len(FABRICS)


def test_only_the_defective_frames_of_the_test_change(crossed):
    default = load_dataset("textile", image_size=SMALL)
    assert crossed.train.fingerprint == default.train.fingerprint
    assert crossed.validation.fingerprint == default.validation.fingerprint
    assert crossed.test.paths[:50] == default.test.paths[:50]
    assert not set(crossed.test.paths[50:]) & set(default.test.paths)


def test_sizes_and_severities_are_in_the_fingerprint(crossed):
    for options in ({"sizes": [20, 40]}, {"severities": [0.3, 0.9]}, {"types": DEFECT_TYPES[::-1]}, {"repeats": 1}):
        other = load_dataset("textile", image_size=SMALL, **{"sizes": SIZES, "severities": SEVERITIES} | options)
        assert other.fingerprint != crossed.fingerprint


def test_tiles_carry_the_details_of_their_image(crossed):
    tiled = load_dataset("textile", image_size=SMALL, tile=48, sizes=SIZES, severities=SEVERITIES).test
    assert [tiled.details[group[0]] for group in tiled.groups()] == crossed.test.details
    assert tiled.subset([len(tiled) - 1]).details == [{"size": 48, "severity": 1.0}]


@pytest.mark.parametrize("kind", DEFECT_TYPES)
def test_any_type_has_the_size_in_pixels(kind):
    for pixels in (20, 48, 132):
        for index, fabric in enumerate(FABRICS):
            textile = Textile(fabric)
            image, mask = textile.weave(index, kind, severity=1.0, pixels=pixels)
            difference = np.abs(image.astype(int) - textile.weave(index)[0])
            assert longest_side(mask) == pytest.approx(pixels, abs=max(2, 0.08 * pixels))
            assert not difference[~mask].any()
            assert difference[mask].mean() > 1.5


@pytest.mark.parametrize("kind", DEFECT_TYPES)
def test_severity_leaves_the_size_as_it_is(kind):
    masks = [Textile("sateen").weave(1, kind, severity=severity, pixels=48)[1] for severity in (0.2, 1.0)]
    assert np.array_equal(*masks)


def test_large_specks_lie_apart():
    for pixels, most in ((20, 8), (132, 3)):
        mask = Textile("denim").weave(0, "dots", severity=1.0, pixels=pixels)[1]
        assert 1 <= loom_module.ndimage.label(mask)[1] <= most


@pytest.mark.parametrize("kind", WHOLE_FRAME_TYPES)
@pytest.mark.parametrize("fabric", FABRICS)
@pytest.mark.parametrize("frame", [(176, 976), (32, 32), (300, 40)])
def test_whole_frame_types(fabric, kind, frame):
    textile = Textile(fabric, frame)
    changes = []
    for severity in (0.15, 1.0):
        image, mask = textile.weave(4, kind, severity=severity)
        assert mask.all()
        changes.append(np.abs(image.astype(int) - textile.weave(4)[0]).mean())
    assert min(changes) > 1
    assert kind == "drift" or changes[1] > 1.5 * changes[0]


def test_illumination_is_a_shift_and_leaves_the_weave():
    for index in range(4):
        clean, shifted = (
            Textile("sateen").weave(index, kind, severity=0.5)[0] / 255 for kind in (None, "illumination")
        )
        ratio = shifted / np.clip(clean, 0.05, 1)
        assert abs(np.median(ratio) - 1) == pytest.approx(0.3 * 0.5**0.6, abs=0.03)
        assert ratio.std() < 0.1


def test_drift_parts_the_yarns_at_one_end():
    """The strongest frequency across falls by a fifth from one end to the other; on good cloth it stays."""

    def repeats(image):
        columns = image.astype(float).mean(0)
        spectra = [np.abs(np.fft.rfft(part - part.mean(), 4096)) for part in (columns[:244], columns[-244:])]
        return sorted(np.argmax(spectrum[200:]) + 200 for spectrum in spectra)

    moved = 0
    for index in range(8):
        clean, drifted = (repeats(Textile("calico").weave(index, kind, severity=1.0)[0]) for kind in (None, "drift"))
        assert clean[1] / clean[0] < 1.08
        moved += drifted[1] / drifted[0] > 1.12
    assert 2 <= moved <= 6  # warp or weft parts; this looks at the warp


def test_whole_frame_types_join_only_where_they_are_asked_for():
    test = load_dataset("textile", image_size=SMALL, types=["dots", *WHOLE_FRAME_TYPES], sizes=SIZES, repeats=2).test
    assert Counter(test.kinds[50:]) == {"dots": 4, "illumination": 2, "drift": 2}
    assert {d["size"] for kind, d in zip(test.kinds, test.details, strict=True) if kind in WHOLE_FRAME_TYPES} == {None}
    assert not set(WHOLE_FRAME_TYPES) & set(load_dataset("textile", image_size=SMALL).test.kinds)


def test_an_experiment_takes_the_options_and_others_keep_their_name():
    plain = Experiment(image_size=SMALL)
    assert "data_options" not in plain.describe()
    crossed = plain.variant(data_options={"sizes": (20, 48), "repeats": 1})
    assert crossed.describe()["data_options"] == {"sizes": [20, 48], "repeats": 1}
    assert len(crossed.splits().test) == 60
    assert crossed.address() != plain.address()
    assert hash(crossed) == hash(plain.variant(data_options=json.loads('{"sizes": [20, 48], "repeats": 1}')))


def test_an_experiment_refuses_options_that_the_set_does_not_have():
    with pytest.raises(TypeError, match=r"load_dataset\('aitex'\) has no option 'sizes'; it has none of its own"):
        Experiment(dataset="aitex", data_options={"sizes": [20]})


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sizes": [8]}, "must lie between 20 .three yarns. and 132 .75 % of the shorter side of a 176 x 976 frame"),
        ({"sizes": [20, 200]}, "got 200"),
        ({"sizes": ["big"]}, "got 'big'"),
        ({"sizes": 20}, "sizes must be a list of distinct values"),
        ({"sizes": []}, "sizes must be a list of distinct values"),
        ({"sizes": [20, 20]}, "sizes must be a list of distinct values"),
        ({"severities": [0]}, "severities must lie in"),
        ({"severities": [True]}, "severities must lie in"),
        ({"types": "dots"}, "types must be a list of distinct values"),
        ({"types": ["hole"]}, "types must be among bright, dark, .*drift"),
        ({"repeats": 0}, "repeats must be a whole number of at least 1"),
        ({"repeats": 1.5}, "repeats must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_crossed_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        load_dataset("textile", **options)


def test_size_is_told_once():
    with pytest.raises(ValueError, match="give one"):
        Textile("denim").weave(0, "dark", size=0.5, pixels=30)
    with pytest.raises(TypeError, match="no option 'size'; its own options are types, sizes"):
        load_dataset("textile", size=0.5)
