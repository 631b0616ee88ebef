"""Augmentation keeps an image normal: same shape and range, exact where it can be, repeatable."""

import pytest
import torch

from adkit.data.augment import Augment
from adkit.runtime import generator

FLIPS = Augment(rotation=0, scale=(1, 1))


@pytest.mark.parametrize("shape", [(3, 1, 33, 65), (2, 3, 16, 16), (1, 1, 64, 48)])
def test_shape_range_and_no_gradient(shape):
    images = torch.rand(shape, requires_grad=True)
    result = Augment()(images, generator=generator(0))
    assert result.shape == shape
    assert result.dtype == torch.float32
    assert 0 <= result.min()
    assert result.max() <= 1
    assert not result.requires_grad


def test_repeats_from_the_generator():
    images = torch.rand(4, 1, 32, 32)
    one, same, other = (Augment()(images, generator=generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    torch.manual_seed(0)
    first = Augment()(images)
    torch.manual_seed(0)
    assert torch.equal(first, Augment()(images))


def test_flips_alone_are_exact_and_all_four_occur():
    image = torch.rand(1, 1, 8, 12)
    results = FLIPS(image.expand(64, -1, -1, -1), generator=generator(0))
    variants = [image, image.flip(3), image.flip(2), image.flip(2, 3)]
    found = torch.stack([(results == variant).flatten(1).all(1) for variant in variants])  # (4, 64)
    assert (found.sum(0) == 1).all()
    assert (found.sum(1) > 4).all()


@pytest.mark.parametrize("axis, settings", [(3, {"flip_vertical": False}), (2, {"flip_horizontal": False})])
def test_each_flip_can_be_switched_off(axis, settings):
    image = torch.rand(1, 1, 8, 12)
    results = Augment(rotation=0, scale=(1, 1), **settings)(image.expand(32, -1, -1, -1), generator=generator(0))
    same = (results == image).flatten(1).all(1)
    assert 0 < same.sum() < 32
    assert torch.equal(results[~same], image.flip(axis).expand_as(results[~same]))


def test_rotation_is_rigid_on_a_frame_that_is_not_square():
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(160.0), indexing="ij")
    disc = (torch.hypot(rows - 31.5, columns - 79.5) < 20).float()[None, None]
    turned = Augment(rotation=45, scale=(1, 1), flip_horizontal=False, flip_vertical=False)(
        disc, generator=generator(0)
    )
    assert (turned - disc).abs().mean() < 0.01  # a disc turned around its centre is the same disc


@pytest.mark.parametrize("factor", [0.8, 1.25])
def test_scale_enlarges(factor):
    square = torch.zeros(1, 1, 64, 64)
    square[..., 22:42, 22:42] = 1
    scaled = Augment(rotation=0, scale=(factor, factor), flip_horizontal=False, flip_vertical=False)(square)
    assert scaled.sum().item() == pytest.approx(square.sum().item() * factor**2, rel=0.06)


def test_borders_are_mirrored_not_black():
    assert torch.allclose(Augment()(torch.full((4, 1, 32, 32), 0.7)), torch.tensor(0.7), atol=1e-5)


@pytest.mark.parametrize("settings, message", [
    ({"rotation": -1}, "rotation must lie in"),
    ({"scale": (1.1, 0.9)}, "scale must be"),
    ({"scale": (0.0, 1.0)}, "scale must be"),
])  # fmt: skip
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        Augment(**settings)


@pytest.mark.parametrize("images", [torch.zeros(8, 8), torch.zeros(1, 1, 8, 8, dtype=torch.uint8)])
def test_images_are_checked(images):
    with pytest.raises(ValueError, match="images must be float of the shape"):
        Augment()(images)
