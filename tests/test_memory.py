"""The patch memory: coreset, neighbours and re-weighting against plain references."""

import math

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from adkit.models.memory import PatchMemory, greedy_coreset, nearest, reweighted_score
from adkit.runtime import generator


def naive_coreset(points: np.ndarray, count: int, start: int) -> list[int]:
    """Greedy k-centre with all distances in memory."""
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    chosen = [start]
    while len(chosen) < count:
        chosen.append(int(distances[:, chosen].min(axis=1).argmax()))
    return chosen


def covering_radius(points: torch.Tensor, chosen: torch.Tensor) -> float:
    return nearest(points, points[chosen])[0].max().item()


# -- coreset ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 100.0])  # far from the origin, where |x|² + |c|² - 2 x·c loses digits
def test_the_coreset_is_that_of_a_plain_reference(shift):
    points = torch.randn(200, 5, generator=generator(0), dtype=torch.float64) + shift
    chosen = greedy_coreset(points, 40, projection=None, generator=generator(1)).tolist()
    assert chosen == naive_coreset(points.numpy(), 40, start=chosen[0])
    single = greedy_coreset(points.float(), 40, projection=None, generator=generator(1)).tolist()
    assert single == naive_coreset(points.float().double().numpy(), 40, start=chosen[0])


def test_a_coreset_begins_with_every_smaller_one():
    points = torch.randn(100, 30, generator=generator(0))
    large, small = (greedy_coreset(points, size, 8, generator(3)) for size in (0.5, 7))
    assert len(large) == 50
    assert torch.equal(large[:7], small)
    assert len(large.unique()) == 50


def test_projection_covers_nearly_as_well_as_all_dimensions():
    plane = torch.randn(500, 2, generator=generator(0)) ** 3  # dense in the middle, thin at the rim
    points = plane @ torch.randn(2, 300, generator=generator(4)) + 0.01 * torch.randn(500, 300, generator=generator(5))
    exact, projected = (greedy_coreset(points, 50, p, generator(1)) for p in (None, 64))
    random = torch.randperm(500, generator=generator(2))[:50]
    assert covering_radius(points, projected) < 1.5 * covering_radius(points, exact)
    assert covering_radius(points, projected) < 0.2 * covering_radius(points, random)
    assert torch.equal(exact, greedy_coreset(points, 50, 300, generator(1)))  # no dimension to save


def test_copies_of_one_feature_are_chosen_once_each():
    chosen = greedy_coreset(torch.ones(6, 3), 1.0, generator=generator(0))
    assert sorted(chosen.tolist()) == list(range(6))


def test_progress_is_shown_on_request(capsys):
    greedy_coreset(torch.randn(20, 2), 10, label="coreset of 20", quiet=False)
    assert "coreset of 20  step 10/10" in capsys.readouterr().out
    greedy_coreset(torch.randn(20, 2), 10)
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    "features, size, projection, message",
    [
        (torch.zeros(3), 1, None, r"features must be float \(N, D\) with N >= 1, got torch.float32 \(3,\)"),
        (torch.zeros(0, 3), 1, None, r"got torch.float32 \(0, 3\)"),
        (torch.zeros(3, 3, dtype=torch.uint8), 1, None, r"got torch.uint8 \(3, 3\)"),
        (torch.zeros(3, 3), 4, None, r"a count in \[1, 3\] or a float in \(0, 1\], got 4"),
        (torch.zeros(3, 3), 0, None, "got 0"),
        (torch.zeros(3, 3), 1.5, None, "got 1.5"),
        (torch.zeros(3, 3), True, None, "got True"),
        (torch.zeros(3, 3), 1, 0, "projection must be None or at least 1 dimension, got 0"),
    ],
)
def test_wrong_coresets_are_refused(features, size, projection, message):
    with pytest.raises(ValueError, match=message):
        greedy_coreset(features, size, projection)


# -- neighbours ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("chunk", [None, 7, 1000])
def test_neighbours_are_those_of_scikit_learn(k, chunk):
    bank, queries = (torch.randn(n, 20, generator=generator(n)) + 10 for n in (150, 40))
    distances, indices = nearest(queries, bank, k, chunk)
    expected, order = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(bank.numpy()).kneighbors(queries.numpy())
    np.testing.assert_array_equal(indices, order)
    np.testing.assert_allclose(distances, expected, rtol=1e-5)


def test_a_feature_of_the_bank_is_at_distance_zero():
    bank = 1000 + torch.randn(50, 8, generator=generator(0))
    distances, indices = nearest(bank, bank)
    assert torch.equal(distances[:, 0], torch.zeros(50))
    assert torch.equal(indices[:, 0], torch.arange(50))


def test_no_query_has_no_neighbours():
    distances, indices = nearest(torch.zeros(0, 3), torch.zeros(2, 3), k=2)
    assert distances.shape == indices.shape == (0, 2)


def test_wrong_searches_are_refused():
    bank = torch.zeros(4, 3)
    with pytest.raises(ValueError, match=r"queries must be \(M, 3\) as the bank is, got \(2, 5\)"):
        nearest(torch.zeros(2, 5), bank)
    for k in (0, 5):
        with pytest.raises(ValueError, match=rf"k must lie in \[1, 4\], the size of the bank, got {k}"):
            nearest(bank, bank, k)
    with pytest.raises(ValueError, match="chunk must be at least 1 query, got 0"):
        nearest(bank, bank, chunk=0)
    with pytest.raises(ValueError, match="bank must be float"):
        nearest(bank, torch.zeros(0, 3))


# -- image score -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("neighbours", [2, 4, 100])  # more than the bank holds: all of them
def test_reweighting_is_that_of_the_paper_by_hand(neighbours):
    bank = torch.randn(12, 6, generator=generator(0), dtype=torch.float64)
    worst = 2 * torch.randn(3, 6, generator=generator(1), dtype=torch.float64)
    expected = []
    for q in worst:
        distances = [math.dist(q, m) for m in bank]
        best = min(range(12), key=distances.__getitem__)
        around = sorted(range(12), key=lambda i: math.dist(bank[best], bank[i]))[:neighbours]
        weight = 1 - math.exp(distances[best]) / sum(math.exp(distances[i]) for i in around)
        expected.append(weight * distances[best])
    np.testing.assert_allclose(PatchMemory(bank).image_score(worst, neighbours), expected, rtol=1e-9)


def test_large_distances_do_not_overflow():
    bank = torch.tensor([[0.0], [10.0], [20.0]])
    score = reweighted_score(torch.tensor([[5000.0]]), bank, neighbours=3)
    assert score.item() == pytest.approx((1 - math.exp(0) / (1 + math.exp(10) + math.exp(20))) * 4980)


def test_a_bank_of_one_does_not_reweight():
    assert reweighted_score(torch.tensor([[3.0], [4.0]]), torch.zeros(1, 1)).tolist() == [3.0, 4.0]
    with pytest.raises(ValueError, match="neighbours must be at least 2"):
        reweighted_score(torch.zeros(1, 1), torch.zeros(3, 1), neighbours=1)


def test_a_memory_knows_its_size():
    memory = PatchMemory(torch.zeros(2**18, 4))
    assert (len(memory), memory.dimensions, memory.n_bytes) == (2**18, 4, 2**22)
    assert str(memory) == "262144 patches of 4 numbers, 4.0 MiB"
    with pytest.raises(ValueError, match="bank must be float"):
        PatchMemory(torch.zeros(3))
