"""How far a feature is from normal ones: four distances, from the plainest to the one that assumes least.

* ``mean``: Euclidean, to the mean of normal features; all directions count alike;
* ``reconstruction``: Euclidean, to the features of the image's own reconstruction; nothing is fitted;
* ``mahalanobis``: to the mean, in standard deviations along each direction in which normal features vary;
* ``knn``: Euclidean, to the nearest features of a coreset of normal ones, which may lie in many separate clusters.

All are distances, not their squares, and at least 0. What a fitted one has learned is a few tensors: its fields.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.models.memory import greedy_coreset, nearest

DISTANCES = ("mean", "reconstruction", "mahalanobis", "knn")


@dataclass(frozen=True)
class MeanDistance:
    """Euclidean distance to the mean of normal features.

    Attributes:
        mean: (C,), over the positions of all images.

    Example:
        >>> MeanDistance.fit(torch.tensor([[0.0, 0.0], [2.0, 0.0]]))(torch.tensor([[1.0, 5.0]]))
        tensor([5.])
    """

    mean: Tensor

    @classmethod
    def fit(cls, features: Tensor) -> "MeanDistance":
        """Learn from normal features (N, C), floats."""
        return cls(features.mean(dim=0))

    def __call__(self, features: Tensor) -> Tensor:
        """Features (M, C) to distances (M,)."""
        return torch.linalg.vector_norm(features - self.mean, dim=1)


@dataclass(frozen=True)
class MahalanobisDistance:
    """Mahalanobis distance to normal features, with a shrunk covariance.

    A covariance of C × C numbers estimated from few features is too narrow in some directions by chance. Shrinkage
    moves it towards a multiple of the identity, by as much as minimises the expected error.

    Attributes:
        mean: (C,)
        whitening: W (C, C) with ``W Wᵀ`` the precision, so that the distance is the length of ``(x - mean) W``: no
            rounding makes it the root of a negative number.

    Source:
        Ledoit and Wolf: A well-conditioned estimator for large-dimensional covariance matrices, Journal of Multivariate
        Analysis 2004, by scikit-learn. On features: Rippel et al., Modeling the distribution of normal data in
        pre-trained deep features for anomaly detection, ICPR 2020.

    Example:
        >>> normal = torch.randn(5000, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 10.0])
        >>> distance = MahalanobisDistance.fit(normal)
        >>> [round(value) for value in distance(torch.tensor([[5.0, 0.0], [0.0, 50.0]])).tolist()]
        [5, 5]
    """

    mean: Tensor
    whitening: Tensor

    @classmethod
    def fit(cls, features: Tensor) -> "MahalanobisDistance":
        """Learn from normal features (N, C), in float64 on the CPU."""
        # slow to import: only who fits pays
        from sklearn.covariance import LedoitWolf

        estimate = LedoitWolf().fit(features.cpu().double().numpy())
        values, vectors = torch.linalg.eigh(torch.from_numpy(estimate.precision_))
        mean, whitening = torch.from_numpy(estimate.location_), vectors * values.clamp(min=0).sqrt()
        # eigh gives columns, a file gives rows: products with the two differ in the last digits on some processors
        return cls(mean.to(features), whitening.to(features).contiguous())

    def __call__(self, features: Tensor) -> Tensor:
        """Features (M, C) to distances (M,)."""
        return torch.linalg.vector_norm((features - self.mean) @ self.whitening, dim=1)


@dataclass(frozen=True)
class NearestDistance:
    """Mean distance to the k nearest features of a coreset: PatchCore's search, on our own encoder.

    Attributes:
        bank: (n, C), normal features that cover all the others, see :func:`adkit.models.memory.greedy_coreset`.
        neighbours: k, in [1, n].

    Raises:
        ValueError: if the bank holds fewer features than ``neighbours``.

    Source:
        Roth et al.: Towards total recall in industrial anomaly detection, CVPR 2022.

    Example:
        >>> NearestDistance(torch.tensor([[0.0], [10.0]]))(torch.tensor([[1.0], [5.0], [12.0]]))
        tensor([1., 5., 2.])
    """

    bank: Tensor
    neighbours: int = 1

    def __post_init__(self):
        if self.neighbours > len(self.bank):
            raise ValueError(
                f"neighbours={self.neighbours}, but the coreset holds {len(self.bank)} features; "
                "take a larger coreset or fewer neighbours"
            )

    @classmethod
    def fit(
        cls, features: Tensor, neighbours: int = 1, coreset: int | float = 200, draw: torch.Generator | None = None
    ) -> "NearestDistance":
        """Choose a coreset of normal features and keep it as the bank.

        Args:
            features: (N, C), floats.
            neighbours: k, a positive integer.
            coreset: how many features to keep: a count (at most all are kept), or a float fraction in (0, 1].
            draw: chooses the projection and the first feature; None: torch's global generator.
        """
        size = coreset if isinstance(coreset, float) else min(coreset, len(features))
        return cls(features[greedy_coreset(features, size, generator=draw)], neighbours)

    def __call__(self, features: Tensor) -> Tensor:
        """Features (M, C) to distances (M,)."""
        return nearest(features, self.bank, self.neighbours)[0].mean(dim=1)


FittedDistance = MeanDistance | MahalanobisDistance | NearestDistance


def reconstruction_distance(features: Tensor, reconstructed: Tensor) -> Tensor:
    """Euclidean distance of features (M, C) to those of the reconstruction at the same positions: (M,)."""
    return torch.linalg.vector_norm(features - reconstructed, dim=1)


def fit_distance(
    kind: str, features: Tensor, neighbours: int = 1, coreset: int | float = 200, draw: torch.Generator | None = None
) -> FittedDistance:
    """Fit a distance of one of the kinds that learn: ``mean``, ``mahalanobis`` or ``knn``.

    Args:
        kind: of ``DISTANCES``, but not ``reconstruction``, which learns nothing.
        features: (N, C) of normal images, floats.
        neighbours: of ``knn``: a positive integer, how many nearest features the distance is a mean over.
        coreset: of ``knn``: how many features to keep, a count or a float fraction in (0, 1].
        draw: of ``knn``: the generator of the coreset's random numbers; None: torch's global one.
    """
    if kind == "knn":
        return NearestDistance.fit(features, neighbours, coreset, draw)
    return {"mean": MeanDistance, "mahalanobis": MahalanobisDistance}[kind].fit(features)


def restore_distance(kind: str, tensors: dict[str, Tensor], neighbours: int = 1) -> FittedDistance:
    """A fitted distance from what it has learned: the inverse of ``vars``.

    Args:
        kind: of ``DISTANCES``, but not ``reconstruction``.
        tensors: name of the field → its tensor.
        neighbours: of ``knn``: a positive integer.
    """
    if kind == "knn":
        return NearestDistance(**tensors, neighbours=neighbours)
    return {"mean": MeanDistance, "mahalanobis": MahalanobisDistance}[kind](**tensors)
