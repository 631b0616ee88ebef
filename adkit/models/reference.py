"""What is normal for a feature vector: the training images, or the rest of its own image.

The features of place p in image i are modelled as ``f = c_i + e``: a centre that belongs to the image, and what varies
around it from place to place. Both parts have a covariance of their own, learned from normal images. A place can then
be held against its own image's centre (``image``), the centre against those of other images, both, or, without the
distinction, the place against the mean of all (``train``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.models.distances import MahalanobisDistance

REFERENCES = ("image", "train", "both")


@dataclass(frozen=True)
class ReferenceModel:
    """Normal variation within images, between them, and of both together, D features each.

    Attributes:
        mean: (D,), over places of all training images.
        centre: (D,), mean of the images' centres.
        whitening: (D, D), of places around the mean: ``|(f - mean) W|`` is the Mahalanobis distance.
        whitening_within: (D, D), of places around the centre of their own image.
        whitening_between: (D, D), of centres around the mean centre.

    Example:
        >>> draw = torch.Generator().manual_seed(0)
        >>> shifts = [10.0 * k for k in range(5)]  # five images, each brighter than the one before
        >>> cells = [torch.randn(500, 2, generator=draw) + shift for shift in shifts]
        >>> model = ReferenceModel.fit(cells, torch.stack([image_centre(image) for image in cells]))
        >>> odd = torch.tensor([[25.0, 20.0]])  # five off the centre of the third image, in one feature
        >>> for reference in ("train", "image"):
        ...     round(float(model.distance(odd, torch.tensor([20.0, 20.0]), reference)), 1)
        3.4
        5.1
    """

    mean: Tensor
    centre: Tensor
    whitening: Tensor
    whitening_within: Tensor
    whitening_between: Tensor

    @classmethod
    def fit(cls, cells: Sequence[Tensor], centres: Tensor) -> "ReferenceModel":
        """Learn from normal images.

        Args:
            cells: of each image some of its feature vectors, float (n_i, D).
            centres: of each image, (N, D), see :func:`image_centre`.
        """
        whole = MahalanobisDistance.fit(torch.cat(list(cells)))
        within = torch.cat([image - centre for image, centre in zip(cells, centres, strict=True)])
        # one image tells nothing of how images differ: its own places stand in
        between = MahalanobisDistance.fit(centres) if len(centres) > 2 else whole
        return cls(
            whole.mean,
            centres.mean(dim=0),
            whole.whitening,
            MahalanobisDistance.fit(within).whitening,
            # a file holds no tensor twice
            between.whitening.clone(),
        )

    def distance(self, features: Tensor, centre: Tensor, reference: str) -> Tensor:
        """Mahalanobis distances (M,) of feature vectors (M, D) of one image.

        Args:
            features: float (M, D).
            centre: (D,), of their image.
            reference: one of ``REFERENCES``.
        """
        if reference == "train":
            return torch.linalg.vector_norm((features - self.mean) @ self.whitening, dim=1)
        within = torch.linalg.vector_norm((features - centre) @ self.whitening_within, dim=1)
        if reference == "image":
            return within
        between = torch.linalg.vector_norm((centre - self.centre) @ self.whitening_between)
        return torch.hypot(within, between.expand_as(within))


def image_centre(features: Tensor) -> Tensor:
    """The median of each feature, (M, D) to (D,): half of an image may be odd before it moves far."""
    return features.median(dim=0).values


def centre_inside(features: Tensor, inside: Tensor) -> Tensor:
    """The centre of the cells of one image that lie inside, or of all of them where none does: (D,).

    Args:
        features: (D, h, w).
        inside: bool (h, w), cells that show foreground.
    """
    return image_centre((features[:, inside] if inside.any() else features.flatten(1)).T)
