"""The autoencoder: shapes, range, receptive field, borders, and that it can learn at all."""

import pytest
import torch

from adkit.data.mirror import mirrored, pad_to_multiple
from adkit.models.autoencoder import Autoencoder, count_parameters
from adkit.models.blocks import SKIPS, Join


def small(**settings) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(**{"width": 4, "depth": 3, "latent": 4} | settings).eval()


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("size", [(176, 976), (64, 64), (50, 33), (8, 8), (3, 1)])
def test_any_frame_comes_back_at_its_own_size_and_in_range(skip, size):
    images = torch.rand(2, 1, *size)
    output = small(skip=skip)(images)
    assert output.shape == images.shape
    assert 0 < output.min() <= output.max() < 1


def test_the_bottleneck_is_one_cell_a_patch():
    model = small(depth=4, latent=5, channels=3)
    assert model.encode(torch.rand(1, 3, 176, 976)).shape == (1, 5, 11, 61)
    assert [tuple(f.shape[1:]) for f in model.features(torch.rand(1, 3, 32, 64))] == [
        (4, 16, 32), (8, 8, 16), (16, 4, 8), (32, 2, 4),
    ]  # fmt: skip
    assert model.compression == 3 * 256 / 5


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_no_pixel_reaches_further_than_the_receptive_field(depth):
    model = small(depth=depth).double()
    side = 4 * 2**depth + 2 * model.receptive_field
    images, reach = torch.rand(1, 1, side, side, dtype=torch.double), 0
    with torch.inference_mode():
        before = model(images)
        for offset in range(2**depth):
            changed = images.clone()
            at = side // 2 + offset
            changed[..., at, at] += 1.0
            touched = (model(changed) - before).abs()[0, 0].nonzero()
            reach = max(reach, int((touched - at).abs().max()))
    assert 2**depth < reach <= model.receptive_field


def test_a_tile_agrees_with_the_full_frame_away_from_its_border():
    model, frame = small(depth=3), torch.rand(1, 1, 128, 256)
    far, step = model.receptive_field, 2**model.depth
    with torch.inference_mode():
        full = model(frame)
        tile = model(frame[..., 0:128, 8 * step : 8 * step + 128])
    inner = slice(far, 128 - far)
    difference = full[..., inner, 8 * step : 8 * step + 128][..., inner] - tile[..., inner, inner]
    assert difference.abs().max() < 1e-5


def test_padding_leaves_the_inside_alone():
    images = torch.rand(1, 1, 21, 35)
    padded = pad_to_multiple(images, 8)
    assert padded.shape[-2:] == (24, 40)
    assert torch.equal(padded[..., :21, :35], images)
    assert torch.equal(padded[..., 21, :35], images[..., 19, :])  # mirrored, the border row not repeated
    assert pad_to_multiple(padded, 8) is padded


def test_mirrored_never_leaves_the_image():
    for length in (1, 2, 3, 7):
        index = mirrored(torch.arange(-20, 20), length)
        assert index.min() >= 0
        assert index.max() < length
        assert torch.equal(index[20 : 20 + length], torch.arange(length))


def test_it_overfits_eight_images():
    torch.manual_seed(0)
    x = torch.linspace(0, 12.6, 32)
    images = torch.stack([0.5 + 0.4 * torch.sin((k + 1) / 2 * x)[None, :] * torch.cos(x)[:, None] for k in range(8)])[
        :, None
    ]
    model = Autoencoder(width=8, depth=2, latent=16)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    start = None
    for _ in range(150):
        loss = (model(images) - images).square().mean()
        start = start or loss.item()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.03 * start


def test_skips_cost_what_they_say():
    plain, added, concat, gated = (count_parameters(small(skip=skip)) for skip in SKIPS)
    assert plain == added
    assert gated == plain + 4 + 8
    assert concat == plain + (2 * 4 * 4 + 4) + (2 * 8 * 8 + 8)


@pytest.mark.parametrize("name", ["channels", "width", "depth", "latent"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "4"])
def test_sizes_must_be_positive_integers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a positive integer"):
        Autoencoder(**{name: value})


def test_an_unknown_skip_is_named():
    with pytest.raises(ValueError, match=r"skip must be one of none, add, concat, gated, got 'dense'"):
        Join(4, "dense")
