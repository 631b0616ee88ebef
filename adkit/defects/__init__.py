"""Synthetic defects on a batch of normal images: where (``shapes``), what (``textures``), how often (``mixture``).

>>> import torch
>>> corrupted, mask, kind = SyntheticDefects()(torch.rand(4, 1, 64, 64))
>>> corrupted.shape, mask.shape, kind.shape
(torch.Size([4, 1, 64, 64]), torch.Size([4, 64, 64]), torch.Size([4]))
"""

from adkit.defects.additive import Brightness, Line, Mask, Noise, Perlin, Stain
from adkit.defects.build import build_defects
from adkit.defects.mixture import KINDS, SyntheticDefects
from adkit.defects.pixel_ops import perlin_noise
from adkit.defects.sampler import Draw
from adkit.defects.transforming import Blur, CutPaste, MissingYarn, Warp

__all__ = [
    "KINDS",
    "Blur",
    "Brightness",
    "CutPaste",
    "Draw",
    "Line",
    "Mask",
    "MissingYarn",
    "Noise",
    "Perlin",
    "Stain",
    "SyntheticDefects",
    "Warp",
    "build_defects",
    "perlin_noise",
]
