"""Foreign textures for the ``perlin`` defect type: where they come from, and how each defect gets a piece of its own.

DRAEM takes them from the Describable Textures Dataset (Cimpoi et al., CVPR 2014). Nothing here needs a download: three
CC0 photographs that scikit-image ships, or the five fabrics of our own textile; a folder takes any other set.
"""

import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from adkit.data.padding import mirrored
from adkit.data.read import SUFFIXES, in_threads, list_images, read_image
from adkit.data.textile import FABRICS, Textile
from adkit.defects.sampler import Sampler

PHOTOGRAPHS = ("brick", "grass", "gravel")  # scikit-image's, grey, 512 x 512
TEXTURE_SIDE = 256  # pixels of a texture from a folder or from the loom
MAX_TEXTURES = 500  # textures that a folder gives
OTHER_CLOTH = 2**31 - 1  # seed of the textile's frames: no split is woven with it unless it is asked for


def load_textures(source: str, channels: int = 1) -> Tensor | None:
    """Textures by the name of their source.

    Args:
        source: ``skimage`` (brick, grass and gravel, 512 x 512); ``textile`` (a frame of each of our fabrics,
            256 x 256); ``batch`` for none, which stands for the other images of a batch; or a folder: of the images in
            it and below (hidden ones left out), at most 500, evenly spread over their sorted names, each its first
            256 x 256 pixels, mirrored where it is smaller.
        channels: of the textures, 1 or 3.

    Returns:
        (N, channels, h, w) float32 in [0, 1] on the CPU, or None for ``batch``.

    Raises:
        ValueError: if the source is neither one of the names nor a folder with images, or ``channels`` is not 1 or 3.

    Example:
        >>> load_textures("skimage").shape, load_textures("textile", channels=3).shape, load_textures("batch")
        (torch.Size([3, 1, 512, 512]), torch.Size([5, 3, 256, 256]), None)
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels!r}")
    if source == "batch":
        return None
    makers = {"skimage": _photographs, "textile": _fabrics}
    if source not in makers and not Path(source).is_dir():
        raise ValueError(f"texture must be batch, {', '.join(makers)} or a folder with images, got {source!r}")
    if source not in makers:
        return _folder(Path(source), channels)
    return torch.from_numpy(makers[source]()).float()[:, None].div_(255).repeat(1, channels, 1, 1)


def _photographs() -> np.ndarray:
    # Imported here: scikit-image finds its pictures only when it is asked, and nothing else needs them.
    from skimage import data

    return np.stack([getattr(data, name)() for name in PHOTOGRAPHS])


def _fabrics() -> np.ndarray:
    return np.stack([Textile(fabric, (TEXTURE_SIDE, TEXTURE_SIDE), OTHER_CLOTH).weave(0)[0] for fabric in FABRICS])


def _folder(folder: Path, channels: int) -> Tensor:
    files = list_images(folder, below=True)
    if not files:
        raise ValueError(f"no image below {folder}; expected {', '.join(SUFFIXES)} files of textures")
    count = min(len(files), MAX_TEXTURES)
    chosen = [files[i * len(files) // count] for i in range(count)]
    return torch.stack(in_threads(lambda file: _corner(read_image(file, channels)), chosen))


def _corner(image: Tensor) -> Tensor:
    """The first TEXTURE_SIDE x TEXTURE_SIDE pixels of an image (C, H, W)."""
    rows, columns = (mirrored(torch.arange(TEXTURE_SIDE), side) for side in image.shape[1:])
    return image[:, rows[:, None], columns]


class Textures:
    """A piece of a random texture for each defect: turned, zoomed, moved, with another contrast, which may be negative.

    What :class:`adkit.defects.Perlin` takes as ``texture``. DRAEM (Zavrtanik et al., ICCV 2021) varies its textures by
    a random choice of colour and contrast changes and a rotation; here one affine map and one gain do it for a whole
    batch on the device.

    Args:
        bank: textures (N, C, h, w) in [0, 1], C being 1 or that of the images; moved to their device when first used.
        zoom: smallest and largest scale at which a texture is shown; 2 is twice as large.

    Raises:
        ValueError: if the bank has another shape or, on use, another number of channels than the images.

    Example:
        >>> images = torch.rand(4, 1, 64, 96)
        >>> Textures(load_textures("skimage"))(images, Sampler(images)).shape
        torch.Size([4, 1, 64, 96])
    """

    def __init__(self, bank: Tensor, zoom: tuple[float, float] = (0.5, 2.0)):
        if bank.ndim != 4 or 0 in bank.shape:
            raise ValueError(f"a bank must be textures (N, C, h, w), got the shape {tuple(bank.shape)}")
        self.bank, self.zoom = bank, zoom

    def __call__(self, images: Tensor, sampler: Sampler) -> Tensor:
        """A piece of texture for each image.

        Args:
            images: (n, C, H, W); only their number counts here.
            sampler: its n, shape and channels are theirs.

        Returns:
            (n, C, H, W), about in [0, 1], not clipped.

        Raises:
            ValueError: if the bank's channels do not fit those of the images.
        """
        self.bank = self.bank.to(sampler.device)
        count, channels, height, width = self.bank.shape
        if channels not in (1, sampler.channels):
            raise ValueError(f"textures must have 1 or {sampler.channels} channels as the images do, got {channels}")
        which = (sampler.uniform(0, 1) * count).long().clamp_(max=count - 1)
        angle, scale = sampler.uniform(0, 2 * math.pi, 1, 1), 1 / sampler.log_uniform(*self.zoom)[:, None, None]
        rows, columns = sampler.grid
        down = (rows * angle.cos() + columns * angle.sin()) * scale + sampler.uniform(0, height, 1, 1)
        right = (columns * angle.cos() - rows * angle.sin()) * scale + sampler.uniform(0, width, 1, 1)
        places = torch.stack([right * (2 / width) - 1, down * (2 / height) - 1], dim=3)
        pieces = F.grid_sample(self.bank[which], places, padding_mode="reflection", align_corners=False)
        gain = (sampler.sign() * sampler.uniform(0.5, 1.5))[:, None, None, None]
        return pieces * gain + (sampler.uniform(0.3, 0.7, sampler.channels, 1, 1) - gain / 2)
