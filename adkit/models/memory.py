"""A memory of normal patches: thin it out to a coreset, find nearest neighbours, score an image by its worst patch.

PatchCore learns no weights. It remembers the features of normal patches and calls a patch anomalous that is far from
all of them.

Source:
    Roth et al.: Towards total recall in industrial anomaly detection, CVPR 2022.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.runtime.progress import progress

# numbers that one chunk of a search may hold: 4 MiB of float32 stay near a processor's core; a GPU wants many at once
BUDGET = {"cpu": 2**20}
BUDGET_ELSEWHERE = 2**24


def greedy_coreset(
    features: Tensor,
    size: int | float,
    projection: int | None = 128,
    generator: torch.Generator | None = None,
    label: str = "coreset",
    quiet: bool = True,
) -> Tensor:
    """Choose features that cover all the others: greedy k-centre.

    Start at a random feature; again and again take the one that is furthest from all taken so far. The largest distance
    of any feature to its nearest centre is then at most twice the smallest possible. Distances are those of a random
    Gaussian projection, which keeps them to about 6 % at 128 dimensions. In memory there is one row of N distances,
    never N × n; nothing but the progress line makes a GPU wait.

    Args:
        features: (N, D), floats.
        size: how many to choose: a count in [1, N], or a float in (0, 1], a fraction of N.
        projection: dimensions to measure distances in; None, or D and more: all of D, exactly.
        generator: draws the projection and the start; on any device. None: torch's own on the CPU.
        label: in front of the progress line.
        quiet: show no progress.

    Returns:
        (n,) distinct indices on the features' device, in the order they were chosen: the first m are the coreset of m.

    Raises:
        ValueError: if the features are not (N, D) of floats with N >= 1, or ``size`` or ``projection`` is out of range.

    Source:
        Sener and Savarese: Active learning for convolutional neural networks: a core-set approach, ICLR 2018;
        PatchCore, algorithm 1. The projection: Johnson and Lindenstrauss, Extensions of Lipschitz mappings into a
        Hilbert space, 1984.

    Example:
        >>> line = torch.tensor([[0.0], [0.1], [0.2], [9.0], [9.1], [4.0]])
        >>> chosen = greedy_coreset(line, 3, generator=torch.Generator().manual_seed(0))
        >>> sorted(round(value) for value in line[chosen, 0].tolist())  # one of each group
        [0, 4, 9]
    """
    _check_features(features, "features")
    count = coreset_size(size, len(features))
    points = _project(features, projection, generator)
    # vectors are short about their mean, so that |x|² + |c|² - 2 x·c loses few digits
    points = points - points.mean(dim=0)
    norms = points.square().sum(dim=1)
    distances, row = torch.full_like(norms, torch.inf), torch.empty_like(norms)  # squared
    latest = _draw(torch.randint, (len(points), (1,)), generator).to(points.device)
    chosen = latest.new_empty(count)
    for step in progress(range(count), label, quiet=quiet):
        chosen[step : step + 1] = latest
        centre = points.index_select(0, latest)[0]
        torch.addmv(norms, points, centre, alpha=-2, out=row)
        torch.minimum(distances, row.add_(norms.index_select(0, latest)), out=distances)
        distances.index_fill_(0, latest, -torch.inf)  # never again
        latest = distances.argmax(dim=0, keepdim=True)
    return chosen


def coreset_size(size: int | float, total: int) -> int:
    """How many of ``total`` features a ``size`` stands for: a count, or a fraction as a float.

    Args:
        size: a count in [1, total], or a float in (0, 1], a fraction.
        total: positive integer, how many features there are.

    Raises:
        ValueError: if it is neither a count in [1, total] nor a float in (0, 1].

    Example:
        >>> coreset_size(0.1, 200), coreset_size(1.0, 200), coreset_size(1, 200)
        (20, 200, 1)
    """
    if isinstance(size, float) and 0 < size <= 1:
        return max(1, round(size * total))
    if isinstance(size, int) and not isinstance(size, bool) and 1 <= size <= total:
        return size
    raise ValueError(f"the size of a coreset must be a count in [1, {total}] or a float in (0, 1], got {size!r}")


def nearest(queries: Tensor, bank: Tensor, k: int = 1, chunk: int | None = None) -> tuple[Tensor, Tensor]:
    """The k nearest neighbours of each query in a bank, by Euclidean distance.

    Neighbours are found by one matrix product a chunk; their distances are then computed from the differences, so that
    a query that is in the bank is at distance 0 and not at the rounding error of ``|q|² + |b|² - 2 q·b``. (Features
    that lie far from the origin beside their spread, a thousand times or more, must be centred first: there that error
    chooses among neighbours.)

    Args:
        queries: (M, D).
        bank: (n, D).
        k: how many, in [1, n].
        chunk: queries at a time; None: as many as 4 MiB allow, on a GPU 64 MiB.

    Returns:
        distances (M, k), nearest first, and indices (M, k) into the bank.

    Raises:
        ValueError: if the shapes do not fit, or ``k`` or ``chunk`` is out of range.

    Example:
        >>> nearest(torch.tensor([[0.0, 1.0]]), torch.tensor([[3.0, 5.0], [0.0, 0.0], [0.0, 3.0]]), k=2)
        (tensor([[1., 2.]]), tensor([[1, 2]]))
    """
    _check_features(bank, "bank")
    if queries.ndim != 2 or queries.shape[1] != bank.shape[1]:
        raise ValueError(f"queries must be (M, {bank.shape[1]}) as the bank is, got {tuple(queries.shape)}")
    if not 1 <= k <= len(bank):
        raise ValueError(f"k must lie in [1, {len(bank)}], the size of the bank, got {k}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk must be at least 1 query, got {chunk}")
    budget = BUDGET.get(queries.device.type, BUDGET_ELSEWHERE)
    chunk = chunk or max(1, budget // max(len(bank), k * bank.shape[1]))
    half_norms = bank.square().sum(dim=1) / 2
    parts = [_nearest_of(part, bank, half_norms, k) for part in queries.split(chunk)]
    return torch.cat([distances for distances, _ in parts]), torch.cat([indices for _, indices in parts])


def _nearest_of(queries: Tensor, bank: Tensor, half_norms: Tensor, k: int) -> tuple[Tensor, Tensor]:
    # |q - b|² is smallest where q·b - |b|² / 2 is largest
    closeness = torch.mm(queries, bank.T).sub_(half_norms)  # (m, n)
    candidates = closeness.max(dim=1, keepdim=True).indices if k == 1 else closeness.topk(k, dim=1).indices  # (m, k)
    distances = torch.linalg.vector_norm(queries[:, None] - bank[candidates], dim=2)
    if k == 1:
        return distances, candidates
    distances, order = distances.sort(dim=1)
    return distances, candidates.gather(1, order)


def reweighted_score(worst: Tensor, bank: Tensor, neighbours: int = 9) -> Tensor:
    """Image scores from each image's worst patch.

    The distance s* of the worst patch q to its nearest neighbour m* in the bank, times
    ``1 - exp|q - m*| / Σ exp|q - m|`` over the ``neighbours`` features m of the bank nearest to m*, itself among them.
    Where m* is rare in the bank, the others are further away, the weight is nearer to 1, and the image counts as more
    anomalous.

    Args:
        worst: (B, D), of each image the patch that is furthest from the bank.
        bank: (n, D).
        neighbours: b of the paper, at least 2; a bank of fewer gives all it has, and a bank of one weighs nothing.

    Returns:
        (B,)

    Raises:
        ValueError: if the shapes do not fit or ``neighbours`` is below 2.

    Source:
        PatchCore, equations 6 and 7.

    Example:
        >>> bank = torch.tensor([[0.0], [1.0], [2.0]])
        >>> reweighted_score(torch.tensor([[4.0]]), bank, neighbours=2)  # 2 · (1 - e² / (e² + e³))
        tensor([1.4621])
    """
    if neighbours < 2:
        raise ValueError(f"neighbours must be at least 2, as each feature is its own first, got {neighbours}")
    distance, index = nearest(worst, bank)
    if len(bank) == 1:
        return distance[:, 0]
    around = nearest(bank[index[:, 0]], bank, k=min(neighbours, len(bank)))[1]  # (B, b)
    others = torch.linalg.vector_norm(worst[:, None] - bank[around], dim=2)
    # by logarithms, because exp of a distance may overflow
    weight = 1 - (distance[:, 0] - others.logsumexp(dim=1)).exp()
    return weight * distance[:, 0]


@dataclass(frozen=True)
class PatchMemory:
    """The patches that a detector remembers.

    Attributes:
        bank: (n, D), one feature vector a row.

    Raises:
        ValueError: if the bank is not (n, D) of floats with n >= 1.

    Example:
        >>> memory = PatchMemory(torch.zeros(100, 8))
        >>> len(memory), memory.dimensions, memory.n_bytes, str(memory)
        (100, 8, 3200, '100 patches of 8 numbers, 0.0 MiB')
    """

    bank: Tensor

    def __post_init__(self):
        _check_features(self.bank, "bank")

    def __len__(self) -> int:
        return len(self.bank)

    def __str__(self) -> str:
        return f"{len(self)} patches of {self.dimensions} numbers, {self.n_bytes / 2**20:.1f} MiB"

    @property
    def dimensions(self) -> int:
        """Length D of a feature vector."""
        return self.bank.shape[1]

    @property
    def n_bytes(self) -> int:
        """Bytes that the bank takes."""
        return self.bank.numel() * self.bank.element_size()

    def nearest(self, queries: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
        """Distances and indices (M, k) of the nearest patches to queries (M, D), see :func:`nearest`."""
        return nearest(queries, self.bank, k)

    def image_score(self, worst: Tensor, neighbours: int = 9) -> Tensor:
        """Scores (B,) of images by their worst patches (B, D), see :func:`reweighted_score`."""
        return reweighted_score(worst, self.bank, neighbours)


def _check_features(features: Tensor, name: str) -> None:
    if features.ndim != 2 or not len(features) or not features.is_floating_point():
        raise ValueError(f"{name} must be float (N, D) with N >= 1, got {features.dtype} {tuple(features.shape)}")


def _project(features: Tensor, projection: int | None, generator: torch.Generator | None) -> Tensor:
    if projection is not None and projection < 1:
        raise ValueError(f"projection must be None or at least 1 dimension, got {projection}")
    dimensions = features.shape[1]
    if projection is None or projection >= dimensions:
        return features
    matrix = _draw(torch.randn, (dimensions, projection), generator) / projection**0.5
    return features @ matrix.to(features)


def _draw(draw, sizes: tuple, generator: torch.Generator | None) -> Tensor:
    """Random numbers where the generator lives."""
    return draw(*sizes, generator=generator, device=generator.device if generator else "cpu")
