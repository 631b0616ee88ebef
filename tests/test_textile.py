"""The procedural textile: weaves, exact masks, determinism, severity and size."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from adkit.data.textile import DEFECT_TYPES, FABRICS, WEAVES, Textile
from adkit.data.textile import faults as weaving_faults
from adkit.data.textile.cloth import MARGIN, smooth_curves, weave_cloth
from adkit.data.textile.faults import turned
from adkit.data.textile.places import extent, place
from adkit.data.textile.render import expose, render
from adkit.data.textile.weaves import SAMPLES, lift_along, repeat_weave

FAULTS = ("_missing_pick", "_double_pick", "_float", "_broken_yarn", "_fold")
SMALL = (128, 256)


def change(textile, index, kind, **how):
    """Clean and defective twin: absolute change (H, W) and mask."""
    clean, nothing = textile.weave(index)
    image, mask = textile.weave(index, kind, **how)
    assert not nothing.any()
    return np.abs(image.astype(int) - clean), mask


# Weaves


@pytest.mark.parametrize(
    "name, face", [("plain", 1 / 2), ("twill_2_1", 2 / 3), ("twill_3_1", 3 / 4), ("satin_5", 4 / 5)]
)
def test_each_yarn_interlaces_once_in_a_repeat(name, face):
    weave = WEAVES[name]
    assert weave.mean() == pytest.approx(face)
    assert (weave.sum(0) == weave.sum(0)[0]).all()
    assert (weave.sum(1) == weave.sum(1)[0]).all()


def longest_float(weave):
    cloth = repeat_weave(weave, 60, 60)
    return max(len(run) for warp in cloth for run in "".join(str(int(up)) for up in warp).split("0"))


@pytest.mark.parametrize(
    "name, longest",
    [("plain", 1), ("twill_2_1", 2), ("twill_3_1", 3), ("satin_5", 4), ("sateen_5", 1), ("basket_2_2", 2)],
)
def test_length_of_warp_floats(name, longest):
    assert longest_float(WEAVES[name]) == longest


@pytest.mark.parametrize("name", ["twill_2_1", "twill_3_1"])
def test_twill_steps_by_one_pick_a_warp(name):
    cloth = repeat_weave(WEAVES[name], 24, 24)
    assert np.array_equal(cloth[1:, 1:], cloth[:-1, :-1])


def test_satin_bindings_never_touch():
    bound = repeat_weave(1 - WEAVES["satin_5"], 25, 25)
    for step in ((0, 1), (1, 0), (1, 1), (1, -1)):
        shifted = np.roll(bound, step, (0, 1))
        assert not (bound * shifted).any()
    assert np.array_equal(WEAVES["sateen_5"], 1 - WEAVES["satin_5"])


def test_basket_is_a_plain_weave_of_pairs():
    assert WEAVES["basket_2_2"].tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]


def test_repeat_starts_where_it_is_told():
    whole = repeat_weave(WEAVES["satin_5"], 20, 20)
    assert np.array_equal(repeat_weave(WEAVES["satin_5"], 5, 6, start=(3, 7)), whole[3:8, 7:13])


def test_lift_bends_smoothly_between_crossings():
    lift = lift_along(np.array([[0, 1, 1, 0]], np.float32))[0]
    assert lift.shape == (4 * SAMPLES,)
    assert lift[SAMPLES * 2] == 1  # between two crossings of one height it stays there
    assert lift[SAMPLES - 1] + lift[SAMPLES] == pytest.approx(1)  # half-way on the border
    assert np.abs(np.diff(lift)).max() < 0.11


# Frames


@pytest.mark.parametrize("fabric", FABRICS)
def test_a_frame_is_well_exposed_cloth(fabric):
    image, mask = Textile(fabric).weave(5)
    assert image.shape == mask.shape == (176, 976)
    assert (image.dtype, mask.dtype) == (np.uint8, bool)
    assert 60 < image.mean() < 190
    assert 10 < image.std() < 40
    assert np.isin(image, (0, 255)).mean() < 0.005


@pytest.mark.parametrize("fabric", FABRICS)
def test_the_weave_repeats_at_its_pitch(fabric):
    preset = FABRICS[fabric]
    image = Textile(fabric, SMALL).weave(0)[0].astype(float)
    repeat = len(WEAVES[preset.weave])
    power = np.abs(np.fft.rfft2(image - ndimage.uniform_filter(image, 25))) ** 2
    down, across = np.unravel_index(power.argmax(), power.shape)
    cycles = np.array([min(down, SMALL[0] - down) / SMALL[0] * preset.pitch[1], across / SMALL[1] * preset.pitch[0]])
    nearest = np.rint(cycles * repeat) / repeat  # whole cycles in a repeat
    assert np.abs(cycles - nearest).max() < 0.06
    assert nearest.any()


def test_frames_differ_by_index_seed_and_fabric():
    frames = [Textile("denim", SMALL).weave(k)[0] for k in range(2)]
    frames += [Textile("denim", SMALL, seed=1).weave(0)[0], Textile("calico", SMALL).weave(0)[0]]
    for k, frame in enumerate(frames):
        for other in frames[:k]:
            assert (frame != other).mean() > 0.8


def test_a_frame_depends_on_its_number_alone():
    textile = Textile("hopsack", SMALL)
    first = [textile.weave(k, kind) for k, kind in enumerate(DEFECT_TYPES)]
    np.random.seed(3)  # noqa: NPY002  the global state must not matter
    again = [Textile("hopsack", SMALL).weave(k, kind) for k, kind in reversed(list(enumerate(DEFECT_TYPES)))][::-1]
    for (image, mask), (image_again, mask_again) in zip(first, again, strict=True):
        assert np.array_equal(image, image_again)
        assert np.array_equal(mask, mask_again)


@pytest.mark.parametrize("frame", [(32, 32), (64, 64), (33, 200), (256, 256), (300, 40)])
def test_any_frame_of_at_least_32_pixels(frame):
    for index, kind in enumerate(DEFECT_TYPES * 2):
        image, mask = Textile("gabardine", frame).weave(index, kind)
        assert image.shape == mask.shape == frame
        assert mask.any()
        assert mask.mean() < 0.95


def test_a_window_of_the_render_equals_the_full_frame():
    cloth = weave_cloth(FABRICS["calico"], (70, 90), np.random.default_rng(0))
    cloth = replace(cloth, gain=np.full((70, 90), 0.9, np.float32), veil=np.full((70, 90), 0.1, np.float32))
    full = render(cloth)
    for window in ((slice(0, 20), slice(60, 90)), (slice(31, 50), slice(1, 33)), (slice(40, 70), slice(88, 90))):
        assert np.array_equal(render(cloth, window), full[window])


def test_smooth_curves_stay_within_one():
    curves = smooth_curves(np.random.default_rng(0), 200, 300, 40.0)
    assert np.abs(curves).max() <= 1
    assert np.abs(np.diff(curves)).max() < 0.1
    assert 0.3 < curves.std() < 0.5


def test_a_quarter_turn_twice_gives_the_cloth_back():
    cloth = weave_cloth(FABRICS["denim"], (40, 60), np.random.default_rng(0))
    assert np.array_equal(render(turned(turned(cloth))), render(cloth))


def test_drift_never_leaves_the_yarns():
    for preset in FABRICS.values():
        assert 5 * preset.drift + 1 < MARGIN


# Defects


@pytest.mark.parametrize("kind", DEFECT_TYPES)
@pytest.mark.parametrize("fabric", FABRICS)
def test_nothing_changes_outside_the_mask(fabric, kind):
    textile = Textile(fabric, SMALL)
    for index in range(6):
        difference, mask = change(textile, index, kind, severity=1.0)
        assert mask.any()
        assert not difference[~mask].any()
        assert np.median(difference[mask]) > 1
        assert np.array_equal(mask, ndimage.binary_fill_holes(mask))
        assert ndimage.binary_opening(mask, np.ones((3, 3))).sum() > 0.97 * mask.sum()


@pytest.mark.parametrize("kind", DEFECT_TYPES)
def test_default_frame_and_default_mix(kind):
    difference, mask = change(Textile("sateen"), 11, kind)
    assert not difference[~mask].any()
    assert 0 < mask.mean() < 0.3


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("fabric", FABRICS)
def test_each_fault_is_visible_and_its_mask_cuts_little_off(fabric, fault):
    preset = FABRICS[fabric]
    cloth = weave_cloth(preset, SMALL, np.random.default_rng(1))
    spoiled, region = getattr(weaving_faults, fault)(cloth, np.random.default_rng(2), 1.0, 0.5)
    difference = np.abs(render(spoiled) - render(cloth)) * preset.exposure
    mask = ndimage.binary_dilation(region, np.ones((3, 3)))
    assert np.median(difference[mask]) > 1.5
    assert difference[mask].mean() > 6
    assert difference[~mask].sum() < 0.02 * difference.sum()


@pytest.mark.parametrize("kind", DEFECT_TYPES)
def test_change_grows_with_severity(kind):
    for index in range(4):
        twins = [change(Textile("gabardine", SMALL), index, kind, severity=s, size=0.5) for s in (0.15, 0.4, 0.7, 1.0)]
        means = [difference[mask].mean() for difference, mask in twins]
        assert means == sorted(means)
        assert means[-1] > 1.5 * means[0]


@pytest.mark.parametrize("kind", DEFECT_TYPES)
def test_mask_grows_with_size(kind):
    for index in range(4):
        areas = [Textile("calico").weave(index, kind, size=s)[1].sum() for s in (0.05, 0.35, 0.7, 1.0)]
        assert areas == sorted(areas)
        assert areas[-1] > 1.3 * areas[0]


def test_brightness_regions_have_the_stated_extent():
    for size, width in ((0.01, 42), (1.0, 250)):
        columns = Textile("denim").weave(0, "brightness", severity=1.0, size=size)[1].any(0)
        assert columns.sum() == pytest.approx(width, abs=8)


def test_the_default_mix_is_neither_trivial_nor_invisible():
    contrast = []
    for index in range(40):
        textile = Textile(list(FABRICS)[index % 5], SMALL)
        difference, mask = change(textile, index, DEFECT_TYPES[index // 8])
        contrast.append(difference[mask].mean() / textile.weave(index)[0].std())
    assert 0.25 < np.median(contrast) < 1.5
    assert min(contrast) < 0.3


def test_places_lie_inside_the_frame():
    rng = np.random.default_rng(0)
    assert extent(1.0, 40, 250, 976) == 250
    assert extent(1.0, 40, 250, 100) == 80
    for _ in range(200):
        y, x = place(rng, (50, 200), 20, 300)
        assert 10 <= y <= 40
        assert x == 100


def test_expose_keeps_the_light_gentle():
    flat = expose(np.full((176, 976), 0.5, np.float32), 240.0, np.random.default_rng(0)).astype(float)
    smooth = ndimage.uniform_filter(flat, 31)
    assert 90 < smooth.min() < smooth.max() < 140
    assert np.abs(flat - smooth).std() < 3.5


# Errors


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"fabric": "tweed"}, "fabric must be one of calico.*'tweed'"),
        ({"frame": (16, 100)}, r"at least 32, got \(16, 100\)"),
        ({"frame": (64.5, 100)}, "whole pixels"),
        ({"frame": 64}, "frame must be"),
        ({"seed": -1}, "seed must be a whole number"),
    ],
)
def test_textile_says_what_it_needs(arguments, message):
    with pytest.raises(ValueError, match=message):
        Textile(**arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"index": -1}, "index must be a whole number"),
        ({"index": 1.5}, "index must be a whole number"),
        ({"index": 0, "defect_type": "hole"}, "defect_type must be None or one of bright"),
        ({"index": 0, "defect_type": "dark", "severity": 0}, "severity must lie in"),
        ({"index": 0, "defect_type": "dark", "severity": float("nan")}, "severity must lie in"),
        ({"index": 0, "defect_type": "dark", "size": 1.2}, "size must lie in"),
        ({"index": 0, "defect_type": "dark", "size": "big"}, "size must lie in"),
    ],
)
def test_weave_says_what_it_needs(arguments, message):
    with pytest.raises(ValueError, match=message):
        Textile("denim", (64, 64)).weave(**arguments)
