"""The greedy coreset against anomalib's on the CPU, and a nearest-neighbour search against scikit-learn's.

``python -m tests.bench.bench_memory``
"""

import torch
from sklearn.neighbors import NearestNeighbors

from adkit.models.memory import greedy_coreset, nearest
from adkit.runtime import generator, seed_everything
from tests.bench.rows import MISSING, in_turn, markdown, row, seconds

POINTS, DIMENSIONS, SHARE = 20_000, 384, 0.1
QUERIES, BANK = 2684, 2000  # one course frame in cells of 8 pixels, and the default memory
ROUNDS = 3


def coreset() -> dict:
    """Seconds to choose 2,000 of 20,000 features; both measure distances in a random projection."""
    features = torch.randn(POINTS, DIMENSIONS, generator=generator(0))
    what = f"k-centre coreset, {POINTS:,} x {DIMENSIONS}, {SHARE:.0%}, s"
    threads = f"{torch.get_num_threads()} threads"

    def ours() -> torch.Tensor:
        return greedy_coreset(features, SHARE, generator=generator(1))

    try:
        from anomalib.models.components.sampling import KCenterGreedy
    except ImportError:
        ours()
        return row(what, None, seconds(ours, ROUNDS), "≥ 1 ×", f"{MISSING}; {threads}")

    def peer() -> list[int]:
        return KCenterGreedy(features, SHARE).select_coreset_idxs()

    slow, fast = in_turn(peer, ours, ROUNDS)
    radii = [nearest(features, features[torch.as_tensor(chosen)])[0].max().item() for chosen in (peer(), ours())]
    note = f"anomalib KCenterGreedy; covering radius {radii[0]:.1f} (peer), {radii[1]:.1f} (ours); {threads}"
    return row(what, slow, fast, "≥ 1 ×", note)


def search() -> dict:
    """Seconds to find the nearest of 2,000 features for each patch of a frame."""
    bank, queries = (torch.randn(n, 152, generator=generator(n)) for n in (BANK, QUERIES))
    neighbours = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(bank.numpy())
    slow, fast = in_turn(lambda: neighbours.kneighbors(queries.numpy()), lambda: nearest(queries, bank), ROUNDS)
    what = f"nearest of {BANK:,} features for {QUERIES:,} patches of 152 numbers, s"
    return row(what, slow, fast, note=f"scikit-learn brute force; {torch.get_num_threads()} threads")


def main() -> list[dict]:
    """Both, in one process, in turn; medians of three rounds."""
    seed_everything(0)
    return [coreset(), search()]


if __name__ == "__main__":
    print(markdown(main()))
