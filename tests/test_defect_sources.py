"""Texture sources: what each holds, and what becomes of a texture on its way into a defect."""

import numpy as np
import pytest
import torch
from PIL import Image

from adkit.data.textile import FABRICS
from adkit.defects import Perlin, Sampler, SyntheticDefects, texture_bank
from adkit.defects.texture_bank import Textures, load_textures


def sampler_of(images: torch.Tensor, seed: int = 0) -> Sampler:
    return Sampler(images, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_every_source_gives_textures_of_the_images_channels(channels, tmp_path):
    Image.new("RGB", (300, 40), (255, 0, 0)).save(tmp_path / "red.png")
    for source, count in {"skimage": 3, "textile": len(FABRICS), str(tmp_path): 1}.items():
        bank = load_textures(source, channels)
        assert bank.shape[:2] == (count, channels)
        assert bank.dtype == torch.float32
        assert 0 <= bank.min() < bank.max() + (source == str(tmp_path)) <= 2
        assert torch.equal(bank, load_textures(source, channels))
    assert load_textures("batch", channels) is None


def test_photographs_and_fabrics_differ_among_themselves():
    for source in ("skimage", "textile"):
        bank = load_textures(source)
        assert 0 <= bank.min() < bank.max() <= 1
        assert (bank.std((1, 2, 3)) > 0.03).all()
        flat = bank[..., :256, :256].flatten(1)
        assert torch.corrcoef(flat).fill_diagonal_(0).abs().max() < 0.3


def test_a_folder_is_searched_to_its_depth_and_thinned_out_evenly(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 256, (300, 100), dtype=np.uint8)
    for i in range(6):
        (tmp_path / f"class{i % 2}").mkdir(exist_ok=True)
        Image.fromarray(pixels // (i + 1)).save(tmp_path / f"class{i % 2}" / f"{i}.png")
    (tmp_path / "labels.txt").write_text("no image")
    bank = load_textures(str(tmp_path))
    assert bank.shape == (6, 1, 256, 256)
    torch.testing.assert_close(bank[0, 0, :, :100], torch.from_numpy(pixels[:256] / np.float32(255)))
    assert torch.equal(bank[0, 0, :, 100:199], bank[0, 0, :, :99].flip(1))  # mirrored, the border not repeated
    monkeypatch.setattr(texture_bank, "MAX_TEXTURES", 3)
    assert torch.equal(load_textures(str(tmp_path)), bank[::2])


@pytest.mark.parametrize("channels, bank_channels", [(1, 1), (3, 1), (3, 3)])
def test_every_defect_gets_a_piece_of_its_own(channels, bank_channels):
    images, bank = torch.rand(6, channels, 40, 72), load_textures("skimage", bank_channels)
    pieces = Textures(bank)(images, sampler_of(images))
    assert pieces.shape == images.shape
    assert (pieces.std((2, 3)) > 0.02).all()
    assert torch.corrcoef(pieces[:, 0].flatten(1)).fill_diagonal_(0).abs().max() < 0.5
    assert torch.equal(pieces, Textures(bank)(images, sampler_of(images)))
    assert not torch.equal(pieces, Textures(bank)(images, sampler_of(images, seed=1)))


def test_a_texture_is_turned_zoomed_and_moved_but_stays_itself():
    stripes = (torch.arange(64) % 8 < 4).float().expand(1, 1, 64, 64)
    images = torch.rand(32, 1, 64, 64)
    pieces = Textures(stripes, zoom=(1, 1))(images, sampler_of(images))
    spectra = torch.fft.fft2(pieces - pieces.mean((2, 3), keepdim=True)).abs()[:, 0]
    row, column = (
        torch.fft.fftfreq(64)[i] for i in (spectra.flatten(1).argmax(1) // 64, spectra.flatten(1).argmax(1) % 64)
    )
    np.testing.assert_allclose(torch.hypot(row, column), 1 / 8, atol=0.02)  # the pitch of 8 pixels at any angle
    assert torch.atan2(row, column).abs().unique().numel() > 8


def test_perlin_defects_show_the_textures():
    images = torch.full((8, 1, 64, 64), 0.5)
    kind = Perlin((1.0, 1.0), texture=Textures(load_textures("textile")))
    corrupted, mask, which = SyntheticDefects([kind])(images, generator=torch.Generator().manual_seed(0))
    assert (which == 0).all()
    assert corrupted[:, 0][mask].std() > 0.1
    assert (corrupted[:, 0][~mask] == 0.5).all()


def test_what_is_no_source_or_no_bank_is_refused(tmp_path):
    with pytest.raises(ValueError, match="texture must be batch, skimage, textile or a folder with images, got 'dtd'"):
        load_textures("dtd")
    with pytest.raises(ValueError, match=r"no image below .*; expected \.png, .* files of textures"):
        load_textures(str(tmp_path))
    with pytest.raises(ValueError, match="channels must be 1 or 3, got 2"):
        load_textures("skimage", channels=2)
    with pytest.raises(ValueError, match=r"a bank must be textures \(N, C, h, w\), got the shape \(3, 64, 64\)"):
        Textures(torch.rand(3, 64, 64))
    images = torch.rand(2, 1, 64, 64)
    with pytest.raises(ValueError, match="textures must have 1 or 1 channels as the images do, got 3"):
        Textures(torch.rand(2, 3, 64, 64))(images, sampler_of(images))
