"""The networks of DRAEM: any frame, the reach of a pixel, and that they learn to find a defect."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from adkit.defects import SyntheticDefects
from adkit.losses import build_loss, focal_loss
from adkit.metrics import average_precision
from adkit.models.blocks import Join
from adkit.models.draem import DRAEM


def small(**settings) -> DRAEM:
    torch.manual_seed(0)
    return DRAEM(**{"width": 4, "depth": 2, "segment_width": 4, "segment_depth": 2} | settings).eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(176, 976), (64, 64), (50, 33), (3, 1)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_any_frame_comes_back_at_its_own_size(channels, size, stride):
    images = torch.rand(2, channels, *size)
    reconstructed, logits = small(channels=channels, depth=3, segment_depth=4, stride=stride)(images)
    assert reconstructed.shape == images.shape
    assert 0 < reconstructed.min() <= reconstructed.max() < 1
    assert logits.shape == (2, *size)


def test_the_reconstructor_has_no_skips_and_the_segmenter_has():
    model = small()
    kinds = [{part.kind for part in net.modules() if isinstance(part, Join)} for net in model.children()]
    assert kinds == [{"none"}, {"concat"}]
    assert not any("InstanceNorm" in type(part).__name__ for part in model.modules())


def test_the_paper_s_networks_are_of_its_width():
    with torch.device("meta"):
        model = DRAEM.paper()
    stems = [net.stem[0] for net in model.children()]
    assert [(stem.in_channels, stem.out_channels) for stem in stems] == [(3, 128), (6, 64)]
    assert [len(net.down) for net in model.children()] == [4, 5]


@pytest.mark.parametrize(
    "depth, segment_depth, stride", [(1, 1, 1), (2, 1, 1), (2, 3, 1), (1, 1, 2), (1, 2, 2), (1, 1, 3)]
)
def test_no_pixel_reaches_further_than_the_receptive_field(depth, segment_depth, stride):
    model = small(width=2, segment_width=2, depth=depth, segment_depth=segment_depth, stride=stride).double()
    cell = stride * 2 ** max(depth, segment_depth)
    side = 2 * (model.receptive_field // cell + 2) * cell
    images, reach = torch.rand(1, 1, side, side, dtype=torch.double), 0
    with torch.inference_mode():
        before = model(images)[1]
        for offset in range(cell):
            changed = images.clone()
            at = side // 2 + offset
            changed[..., at, at] += 1.0
            touched = (model(changed)[1] - before).abs()[0].nonzero()
            reach = max(reach, int((touched - at).abs().max()))
    assert cell < reach <= model.receptive_field


def test_a_tile_agrees_with_the_full_frame_away_from_its_border():
    model, frame = small(), torch.rand(1, 1, 128, 256)
    far = model.receptive_field
    with torch.inference_mode():
        full, tile = model(frame)[1], model(frame[..., 64:192])[1]
    inner = slice(far, 128 - far)
    assert far < 60
    assert (full[..., 64:192][..., inner, inner] - tile[..., inner, inner]).abs().max() < 1e-5


def test_a_stride_of_two_costs_a_quarter():
    def products(stride):  # of one frame, in all convolutions
        with FlopCounterMode(display=False) as counter:
            small(stride=stride)(torch.rand(1, 1, 64, 64))
        return counter.get_total_flops() / 2

    assert products(2) < 0.35 * products(1)


@pytest.mark.slow
def test_it_overfits_eight_images_and_finds_their_defects():
    torch.manual_seed(0)
    x = torch.linspace(0, 12.6, 32)
    images = torch.stack([0.5 + 0.2 * torch.sin((k + 4) / 4 * x)[None, :] * torch.cos(x)[:, None] for k in range(8)])
    images = images[:, None]
    seen, masks, _ = SyntheticDefects(["perlin"])(images, generator=torch.Generator().manual_seed(0))
    model, loss = DRAEM(width=8, depth=2, segment_width=8, segment_depth=2), build_loss("mse + ssim")
    optimiser, history = torch.optim.AdamW(model.parameters(), 5e-3), []
    for _ in range(80):
        reconstructed, logits = model(seen)
        total = loss(reconstructed, images) + focal_loss(logits, masks)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        history.append((total.item(), focal_loss(logits, masks).item()))
    (first, first_focal), (last, last_focal) = history[0], history[-1]
    assert last < 0.3 * first
    assert last_focal < 0.1 * first_focal
    assert average_precision(masks.numpy(), logits.detach().numpy()) > 0.9


@pytest.mark.parametrize("name", ["channels", "width", "depth", "segment_width", "segment_depth", "stride"])
@pytest.mark.parametrize("value", [0, 1.5, True, "4"])
def test_sizes_must_be_positive_integers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a positive integer"):
        DRAEM(**{name: value})
