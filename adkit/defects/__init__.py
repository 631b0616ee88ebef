"""Synthetic defects on a batch of normal images: where (``shapes``), what (``pixel_ops``), how often (``mixture``).

>>> import torch
>>> corrupted, mask, kind = SyntheticDefects()(torch.rand(4, 1, 64, 64))
>>> corrupted.shape, mask.shape, kind.shape
(torch.Size([4, 1, 64, 64]), torch.Size([4, 64, 64]), torch.Size([4]))
"""

from adkit.defects.additive import Brightness, Line, Mask, Noise, Perlin, Stain
from adkit.defects.build import build_defects
from adkit.defects.mixture import SyntheticDefects
from adkit.defects.pixel_ops import perlin_noise
from adkit.defects.registry import DEFECT_TYPES, known_defects, register_defect, unregister_defect
from adkit.defects.sampler import Sampler
from adkit.defects.transforming import Blur, CutPaste, MissingYarn, Warp

__all__ = [
    "DEFECT_TYPES",
    "Blur",
    "Brightness",
    "CutPaste",
    "Line",
    "Mask",
    "MissingYarn",
    "Noise",
    "Perlin",
    "Sampler",
    "Stain",
    "SyntheticDefects",
    "Warp",
    "build_defects",
    "known_defects",
    "perlin_noise",
    "register_defect",
    "unregister_defect",
]
