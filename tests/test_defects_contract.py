"""What holds for every kind of synthetic defect, alone and in a mixture."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from adkit.defects import DEFECT_TYPES, SyntheticDefects
from adkit.runtime import generator

SHAPES = [(6, 1, 64, 64), (5, 3, 49, 83), (4, 1, 16, 16), (1, 3, 40, 33)]
WITHOUT_HOLES = [
    name for name in DEFECT_TYPES if name not in ("perlin", "mask")
]  # both may enclose a place of their own


def texture(shape, seed=0):
    """A woven pattern with grain, different in each image, far from 0 and 1."""
    rows, columns = torch.arange(shape[2])[:, None], torch.arange(shape[3])
    phase = torch.arange(shape[0])[:, None, None, None] * 1.3
    weave = 0.15 * torch.sin(rows * 1.1 + phase) * torch.cos(columns * 0.9)
    return (0.5 + weave + 0.05 * torch.randn(shape, generator=generator(seed))).clamp(0.05, 0.95)


def corrupt(kinds, shape=(6, 1, 64, 64), seed=0, foreground=None, **settings):
    images = texture(shape)
    defects = SyntheticDefects(kinds, **settings)
    return images, *defects(images, foreground, generator(seed))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", DEFECT_TYPES)
def test_every_kind_holds_the_contract(name, shape):
    images, corrupted, mask, kind = corrupt([name], shape)
    before = texture(shape)
    assert torch.equal(images, before)  # the input stays as it is
    assert (corrupted.shape, corrupted.dtype) == (shape, torch.float32)
    assert (mask.shape, mask.dtype) == ((shape[0], *shape[2:]), torch.bool)
    assert (kind.shape, kind.dtype) == ((shape[0],), torch.long)
    assert 0 <= corrupted.min()
    assert corrupted.max() <= 1
    outside = ~mask[:, None].expand_as(images)
    assert torch.equal(corrupted[outside], images[outside])
    assert torch.equal(kind == 0, mask.flatten(1).any(1))
    assert set(kind.tolist()) <= {0, -1}
    change = ((corrupted - images).abs().mean(1) * mask).sum((1, 2)) / mask.sum((1, 2)).clamp(min=1)
    assert (change[kind == 0] >= 0.999 / 255).all()


@pytest.mark.parametrize("name", DEFECT_TYPES)
def test_most_draws_leave_a_defect_on_fabric(name):
    kind = corrupt([name], (32, 1, 64, 64))[3]
    assert (kind == 0).float().mean() > 0.9


@pytest.mark.parametrize("name", WITHOUT_HOLES)
def test_a_region_has_no_holes(name):
    mask = corrupt([name], (24, 1, 96, 96), count=(1, 1))[2].numpy()
    for region in mask:
        assert np.array_equal(ndimage.binary_fill_holes(region), region)


@pytest.mark.parametrize("name", DEFECT_TYPES)
def test_foreground_is_respected(name):
    foreground = torch.zeros(8, 64, 64, dtype=torch.bool)
    foreground[:4, :, 40:] = True  # on the right; nowhere in the last four
    _, _, mask, kind = corrupt([name], (8, 1, 64, 64), foreground=foreground)
    assert mask.any()
    assert not (mask & ~foreground).any()
    assert (kind[4:] == -1).all()


@pytest.mark.parametrize("name", [*DEFECT_TYPES, None])
def test_repeats_from_the_generator(name):
    kinds = None if name is None else [name]
    one, same, other = (corrupt(kinds, seed=seed)[1:] for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0], other[0])


def test_default_generator_follows_the_global_seed_and_each_call_differs():
    images, defects = texture((4, 1, 32, 32)), SyntheticDefects()
    torch.manual_seed(0)
    first, second = defects(images)[0], defects(images)[0]
    torch.manual_seed(0)
    assert torch.equal(first, defects(images)[0])
    assert not torch.equal(first, second)


def test_no_gradient_is_needed_or_kept():
    images = texture((4, 1, 32, 32)).requires_grad_()
    assert not any(result.requires_grad for result in SyntheticDefects()(images, generator=generator(0)))


def test_autocast_changes_nothing():
    with torch.autocast("cpu", torch.bfloat16):
        inside = corrupt(None, (16, 1, 64, 64))[1]
    assert torch.equal(inside, corrupt(None, (16, 1, 64, 64))[1])


def test_inference_mode_and_memory_layouts_are_fine():
    images = texture((4, 3, 32, 32)).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        corrupted, mask, _ = SyntheticDefects()(images, generator=generator(0))
    outside = ~mask[:, None].expand_as(images)
    assert torch.equal(corrupted[outside], images[outside])


class NoWait(torch.utils._python_dispatch.TorchDispatchMode):
    """Refuses operations for which a GPU has to tell the host a value or a size."""

    FORBIDDEN = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal.default", "is_nonzero")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert not any(name in str(function) for name in self.FORBIDDEN), function
        if "aten.index" in str(function) and isinstance(args[1], list | tuple):
            assert all(index is None or index.dtype != torch.bool for index in args[1]), function
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("name", [*DEFECT_TYPES, None])
def test_no_operation_makes_a_gpu_wait(name):
    images, foreground = texture((8, 3, 48, 48)), torch.ones(8, 48, 48, dtype=torch.bool)
    defects = SyntheticDefects(None if name is None else [name])
    with NoWait():
        defects(images, foreground, generator(0))
    with pytest.raises(AssertionError, match="nonzero"), NoWait():
        foreground.nonzero()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_never_waits():
    images = texture((16, 1, 128, 128)).cuda()
    foreground = torch.ones(16, 128, 128, dtype=torch.bool, device="cuda")
    defects, draw = SyntheticDefects(), generator(0, device="cuda")
    first = defects(images, foreground, draw)
    torch.cuda.set_sync_debug_mode("error")
    try:
        defects(images, foreground, draw)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    again = defects(images, foreground, generator(0, device="cuda"))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
