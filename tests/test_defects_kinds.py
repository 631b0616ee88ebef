"""Each kind of defect does what its name says, and its settings are checked."""

import math

import pytest
import torch

from adkit.data.padding import mirrored
from adkit.defects import (
    Blur,
    Brightness,
    CutPaste,
    Line,
    Mask,
    MissingYarn,
    Noise,
    Perlin,
    Sampler,
    Stain,
    Warp,
    perlin_noise,
)
from adkit.defects.pixel_ops import bent, blurred
from adkit.runtime import generator
from tests.test_defects_contract import texture


def apply(kind, images, seed=0, **settings):
    return kind(images, Sampler(images, generator=generator(seed), **settings))


GREY = torch.full((16, 1, 64, 64), 0.5)
CLOTH = texture((16, 1, 64, 64))


@pytest.mark.parametrize("shape", ["rectangle", "cells", "irregular"])
def test_mask_fills_a_region_with_one_value(shape):
    corrupted, region = apply(Mask(shape, fill=0.25), GREY)
    assert (corrupted[:, 0][region] == 0.25).all()
    assert torch.equal(corrupted[:, 0] != 0.5, region)
    random = apply(Mask(shape), GREY)[0]
    assert len(random.flatten(1).amax(1).unique()) + len(random.flatten(1).amin(1).unique()) > 8


def test_mask_rectangles_have_the_drawn_size():
    region = apply(Mask("rectangle"), GREY, size=(0.25, 0.25), foreground=_middle(GREY))[1]
    side = region.sum((1, 2)).float().sqrt()  # the area of a square of 16 pixels
    assert (side - 16).abs().max() < 2.5
    rows, columns = region.any(2).sum(1), region.any(1).sum(1)
    assert torch.equal(rows * columns, region.sum((1, 2)))


def test_mask_cells_are_squares_of_one_grid():
    region = apply(Mask("cells"), GREY, size=(0.5, 0.5), foreground=_middle(GREY))[1]
    count = region.sum((1, 2))
    assert ((count > 0) & (count <= 32**2)).all()
    assert (count % 64 == 0).all()  # cells of 8 x 8 pixels


@pytest.mark.parametrize("noise", ["gaussian", "speckle", "salt_pepper"])
def test_noise_has_the_drawn_strength(noise):
    corrupted, region = apply(Noise(noise, where="everywhere"), GREY, contrast=(0.2, 0.2))
    assert region is None
    if noise == "salt_pepper":
        assert set(corrupted.unique().tolist()) == {0.0, 0.5, 1.0}
        assert abs((corrupted != 0.5).float().mean() - 0.1) < 0.01
    else:
        assert abs((corrupted - 0.5).std() - 0.1) < 0.005  # 0.2 / 2, or 0.2 of 0.5


def test_noise_any_mixes_all_three():
    corrupted, region = apply(Noise(), GREY.repeat(4, 1, 1, 1))
    assert region.shape == (64, 64, 64)
    binary = [set(image.unique().tolist()) <= {0.0, 0.5, 1.0} for image in corrupted]
    assert 8 < sum(binary) < 40


def test_stain_is_strongest_inside_and_fades_to_its_rim():
    corrupted, region = apply(Stain(), GREY, size=(0.5, 0.5), contrast=(0.4, 0.4), foreground=_middle(GREY))
    change = (corrupted - GREY).abs()[:, 0]
    assert torch.equal(change > 1e-6, region & (change > 1e-6))
    assert (change[:, 28:36, 28:36].amax((1, 2)) > 0.12).all()  # 0.4 of the way to a colour at least 0.35 away
    area = region.sum((1, 2)) / (math.pi * 16**2)
    assert ((area > 0.35) & (area < 1.4)).all()


def test_stain_tints_channels_a_little_differently():
    colours = apply(Stain(), torch.full((4, 3, 64, 64), 0.5))[0] - 0.5
    peak = colours.abs().flatten(2).amax(2)  # (4, 3)
    assert (peak.amax(1) > peak.amin(1)).all()
    assert (peak.amin(1) > 0.5 * peak.amax(1)).all()


def test_line_is_long_and_thin():
    region = apply(Line(length=(0.5, 0.5), width=(2.0, 2.0), bow=0.0), GREY, foreground=_middle(GREY))[1]
    rows, columns = region.any(2).sum(1).float(), region.any(1).sum(1).float()
    assert (torch.hypot(rows, columns) > 28).all()
    assert (region.sum((1, 2)) < 5 * 34).all()


def test_line_bends():
    straight, bent_line = (
        apply(Line((0.8, 0.8), (1.0, 1.0), bow), GREY, foreground=_middle(GREY))[1] for bow in (0.0, 0.5)
    )
    assert not torch.equal(straight, bent_line)


@pytest.mark.parametrize("source", ["same", "other"])
def test_cutpaste_takes_from_the_right_image(source):
    images = (torch.arange(4.0)[:, None, None, None] / 10).expand(-1, 1, 32, 32).contiguous()
    corrupted, region = apply(CutPaste(source, jitter=0.0), images)
    changed = (corrupted != images).any(1)
    assert torch.equal(changed, region if source == "other" else torch.zeros_like(region))
    assert region.flatten(1).any(1).all()


def test_cutpaste_moves_real_texture():
    images = torch.arange(64.0 * 64).view(1, 1, 64, 64).repeat(2, 1, 1, 1)
    corrupted, region = apply(CutPaste("same", jitter=0.0), images)
    for image in range(2):
        rows, columns = region[image].nonzero().T
        patch = corrupted[image, 0][region[image]]
        shift = (patch.div(64, rounding_mode="floor") - rows, patch % 64 - columns)
        assert all(len(axis.abs().unique()) <= 64 for axis in shift)
        assert (corrupted[image, 0][region[image]] != images[image, 0][region[image]]).any()


def test_perlin_blends_with_the_drawn_opacity():
    opacity = 0.3
    corrupted, region = apply(Perlin((opacity, opacity), texture=lambda images, sampler: torch.ones_like(images)), GREY)
    assert torch.allclose(corrupted[:, 0][region], torch.tensor(0.5 + opacity * 0.5))
    assert torch.equal(corrupted[:, 0][~region], GREY[:, 0][~region])
    assert region.flatten(1).any(1).all()


@pytest.mark.parametrize("bank", [(5, 1, 20, 30), (2, 3, 100, 100)])
def test_perlin_takes_texture_from_a_bank(bank):
    images = torch.full((6, 3, 48, 64), 0.1)
    corrupted, region = apply(Perlin((1.0, 1.0), texture=torch.rand(bank, generator=generator(0)) / 10 + 0.9), images)
    assert (corrupted.movedim(1, 3)[region] >= 0.9 - 1e-6).all()


def test_perlin_noise_equals_the_sum_over_corners():
    sampler = Sampler(torch.rand(2, 1, 12, 17), generator=generator(3))
    noise = perlin_noise(sampler, (4.0, 6.0))
    again = Sampler(torch.rand(2, 1, 12, 17), generator=generator(3))
    (step_y, shift_y), (step_x, shift_x) = ((again.log_uniform(4.0, 6.0), again.uniform(0, 1, 1)[:, 0]) for _ in "yx")
    angle = again.uniform(0, 2 * math.pi, math.ceil(12 / 4) + 2, math.ceil(17 / 4) + 2)

    def fade(t):
        return 6 * t**5 - 15 * t**4 + 10 * t**3

    for n in range(2):
        for y in range(12):
            for x in range(17):
                v, u = (y / step_y[n] + shift_y[n]).item(), (x / step_x[n] + shift_x[n]).item()
                total = 0.0
                for i in (math.floor(v), math.floor(v) + 1):
                    for j in (math.floor(u), math.floor(u) + 1):
                        gradient = angle[n, i, j].item()
                        dot = math.sin(gradient) * (v - i) + math.cos(gradient) * (u - j)
                        total += (1 - fade(abs(v - i))) * (1 - fade(abs(u - j))) * dot
                assert noise[n, y, x].item() == pytest.approx(math.sqrt(2) * total, abs=2e-5)


def test_brightness_is_a_gain_of_at_most_half_the_contrast():
    corrupted, region = apply(Brightness(), CLOTH, contrast=(0.4, 0.4), size=(0.3, 0.3))
    gain = corrupted / CLOTH - 1
    assert gain.abs().max() == pytest.approx(0.2, abs=1e-3)
    assert {-1.0, 1.0} <= set(gain.flatten(1).sum(1).sign().tolist())
    assert torch.equal(gain[:, 0].abs() > 1e-5, region & (gain[:, 0].abs() > 1e-5))


def test_blur_takes_the_grain_away():
    grain = torch.rand(16, 1, 64, 64, generator=generator(0))
    corrupted, region = apply(Blur(sigma=(3.0, 3.0)), grain, size=(0.5, 0.5), foreground=_middle(grain))
    assert corrupted[:, :, 30:34, 30:34].std() < 0.3 * grain[:, :, 30:34, 30:34].std()
    assert (region.sum((1, 2)) > 300).all()


def test_blurred_equals_one_gaussian_filter_for_each_image():
    from scipy.ndimage import gaussian_filter

    images, sigma = torch.rand(3, 2, 40, 50, generator=generator(0)), torch.tensor([0.5, 1.0, 2.0])
    result = blurred(images, sigma, 2.0)
    for image, width, filtered in zip(images, sigma.tolist(), result, strict=True):
        expected = gaussian_filter(image.numpy(), width, mode="mirror", radius=5, axes=(1, 2))
        assert abs(filtered.numpy() - expected).max() < 1e-5


def test_warp_moves_and_does_not_paint():
    ramp = torch.linspace(0, 1, 64).expand(16, 1, 64, 64).contiguous()
    corrupted, region = apply(Warp(), ramp, size=(0.3, 0.3), foreground=_middle(ramp))
    shift = (corrupted - ramp).abs().flatten(1).amax(1) * 63  # pixels to the side
    assert (shift <= 0.15 * 2 * 0.3 * 64 + 0.1).all()
    assert shift.max() > 2
    assert torch.allclose(corrupted[:, 0][~region], ramp[:, 0][~region], atol=1e-5)
    assert (corrupted.diff(dim=3) > -1e-5).all()  # the cloth never folds


def test_bent_by_whole_pixels_is_exact():
    images = torch.rand(2, 1, 9, 14, generator=generator(0))
    push = torch.tensor([2.0, -3.0])[None, :, None, None].expand(2, 2, 9, 14)
    assert torch.allclose(bent(images, push)[..., :7, 3:], images[..., 2:, :-3], atol=1e-5)


def test_missing_yarn_copies_the_band_beside_it():
    stripes = (torch.arange(64.0) / 64).expand(32, 1, 64, 64).contiguous()
    images = torch.cat([stripes, stripes.transpose(2, 3).contiguous()])
    corrupted, region = apply(MissingYarn(width=(4.0, 4.0)), images, foreground=_middle(images))
    change = ((corrupted - images)[:, 0][region] * 64).round()
    assert set(change.abs().tolist()) == {0.0, 4.0}  # four pixels across the stripes, or along them
    narrow = torch.minimum(region.any(2).sum(1), region.any(1).sum(1))
    assert narrow.tolist() == [4] * 64


def test_an_index_is_mirrored():
    assert mirrored(torch.arange(-3, 8), 4).tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]
    assert mirrored(torch.arange(-2, 3), 1).tolist() == [0] * 5


def test_sampler_shares_defects_among_options():
    sampler = Sampler(torch.rand(300, 1, 4, 4), generator=generator(0))
    parts = sampler.split("abc")
    assert [option for option, _ in parts] == ["a", "b", "c"]
    assert torch.equal(torch.cat([part.image_index for _, part in parts]), sampler.image_index)
    assert all(70 < part.n < 130 for _, part in parts)


def test_centres_are_uniform_over_the_foreground():
    foreground = torch.zeros(4000, 6, 5, dtype=torch.bool)
    foreground[:, 1, 0] = foreground[:, 4, 2:] = True
    centres = Sampler(torch.rand(4000, 1, 6, 5), foreground=foreground, generator=generator(0)).centres().long()
    counts = torch.zeros(6, 5).index_put_(tuple(centres.T), torch.ones(4000), accumulate=True)
    assert torch.equal(counts > 0, foreground[0])
    assert (counts[foreground[0]] - 1000).abs().max() < 120


def test_centres_without_a_foreground_stay_in_the_frame():
    centres = Sampler(torch.rand(50, 1, 6, 5), foreground=torch.zeros(50, 6, 5, dtype=torch.bool)).centres()
    assert ((centres >= 0) & (centres <= torch.tensor([6, 5]))).all()


def test_sampler_never_borrows_from_the_same_image():
    sampler = Sampler(torch.rand(5, 1, 4, 4), generator=generator(0))
    assert all((sampler.others() != sampler.image_index).all() for _ in range(20))
    assert Sampler(torch.rand(1, 1, 4, 4)).others().tolist() == [0]


@pytest.mark.parametrize("make, message", [
    (lambda: Mask("circle"), "shape must be one of any, rectangle"),
    (lambda: Mask(fill=2.0), "fill must be a number in"),
    (lambda: Mask(fill="mean"), "fill must be a number in"),
    (lambda: Noise("pink"), "noise must be one of"),
    (lambda: Noise(where="here"), "where must be one of region, everywhere"),
    (lambda: Stain(edge=0), "edge must be a number in"),
    (lambda: Stain(roughness=0.9), "roughness must be a number in"),
    (lambda: Line(length=(2, 1)), "length must be"),
    (lambda: Line(width=(0, 1)), "width must be"),
    (lambda: Line(bow=2), "bow must be"),
    (lambda: Brightness(edge=2), "edge must be"),
    (lambda: Brightness(scale=0), "scale must be"),
    (lambda: Perlin(opacity=(0.5, 1.5)), "opacity must be"),
    (lambda: Perlin(threshold=-1), "threshold must be"),
    (lambda: Perlin(texture=torch.zeros(3, 8, 8)), r"texture must be images \(N, C, h, w\)"),
    (lambda: apply(Perlin(texture=torch.zeros(1, 2, 8, 8)), GREY), "texture must have 1 or 1 channels"),
    (lambda: CutPaste("elsewhere"), "source must be one of same, other, any"),
    (lambda: CutPaste(elongation=0.5), "elongation must be"),
    (lambda: CutPaste(jitter=-0.1), "jitter must be"),
    (lambda: Blur(sigma=(0, 1)), "sigma must be"),
    (lambda: Blur(scale=100), "scale must be"),
    (lambda: Warp(push=(0.1, 0.9)), "push must be"),
    (lambda: Warp(scale=0), "scale must be"),
    (lambda: MissingYarn(length=(0, 1)), "length must be"),
    (lambda: MissingYarn(width=(5, 2)), "width must be"),
])  # fmt: skip
def test_settings_are_checked(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def _middle(images):
    """Only the very middle is foreground, so that whole defects lie in the frame."""
    foreground = torch.zeros_like(images[:, 0], dtype=torch.bool)
    foreground[:, 32, 32] = True
    return foreground
