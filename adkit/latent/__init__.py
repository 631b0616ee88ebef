"""Latent-space scoring: what the levels of our own encoder find unusual, and how that is added to the residual.

``levels`` reads the features, ``distances`` says how far each is from normal ones, ``space`` does both for a trained
autoencoder, ``fusion`` puts all maps on one scale and adds them.
"""

from adkit.latent.distances import (
    DISTANCES,
    MahalanobisDistance,
    MeanDistance,
    NearestDistance,
    fit_distance,
    redrawn_distance,
    restore_distance,
)
from adkit.latent.fusion import Scale, fuse
from adkit.latent.levels import (
    as_vectors,
    encoder_levels,
    level_name,
    level_stride,
    pool,
    sample_positions,
    shown_positions,
    to_image_size,
)
from adkit.latent.space import LatentSpace

__all__ = [
    "DISTANCES",
    "LatentSpace",
    "MahalanobisDistance",
    "MeanDistance",
    "NearestDistance",
    "Scale",
    "as_vectors",
    "encoder_levels",
    "fit_distance",
    "fuse",
    "level_name",
    "level_stride",
    "pool",
    "redrawn_distance",
    "restore_distance",
    "sample_positions",
    "shown_positions",
    "to_image_size",
]
