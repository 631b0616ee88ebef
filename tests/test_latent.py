"""Latent space: features by level, distances against their references, one scale for all terms."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.covariance import LedoitWolf
from torch.nn.functional import avg_pool2d

from adkit.data.padding import pad_to_multiple
from adkit.models.autoencoder import Autoencoder
from adkit.models.distances import MahalanobisDistance, MeanDistance, NearestDistance, fit_distance
from adkit.models.latent_space import (
    LatentSpace,
    as_vectors,
    encoder_levels,
    level_name,
    level_stride,
    pool,
    sample_positions,
    shown_positions,
    to_image_size,
)
from adkit.runtime import generator
from adkit.scoring.fusion import Scale, fuse

FITTED = ("mean", "mahalanobis", "knn")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return Autoencoder(width=4, depth=3, latent=5).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def normal():
    """Correlated features (3000, 12) of very unequal spread, far from 0."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(3000, 12)) * np.logspace(-1, 1, 12) @ rng.normal(size=(12, 12))
    return torch.from_numpy(mixed + 20).float()


@pytest.fixture(scope="module")
def queries():
    return torch.from_numpy(np.random.default_rng(1).normal(20, 30, size=(200, 12))).float()


def images(*shape, seed=0):
    return torch.rand(*shape, generator=generator(seed))


# -- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(48, 64), (50, 70), (7, 5)])
def test_levels_are_the_encoder_s_own_and_the_bottleneck(model, size):
    batch = images(2, 1, *size)
    *levels, bottleneck = encoder_levels(model, batch)
    for level, expected in zip(levels, model.features(pad_to_multiple(batch, 8)), strict=True):
        assert torch.equal(level, expected)
    assert torch.equal(bottleneck, model.encode(batch))
    for k, level in enumerate([*levels, bottleneck]):
        stride = level_stride(k, model.depth)
        assert tuple(level.shape[-2:]) == tuple(-(-side // 8) * 8 // stride for side in size)
        assert to_image_size(level[:, 0], stride, size).shape == (2, *size)


def test_levels_have_names(model):
    assert [level_name(k, model.depth) for k in range(4)] == ["level 0", "level 1", "level 2", "bottleneck"]


def test_a_position_lies_in_the_middle_of_its_cell(model):
    for level in range(model.depth + 1):
        stride = level_stride(level, model.depth)
        maps = torch.zeros(1, 48 // stride, 64 // stride)
        maps[0, 2, 3] = 1.0
        pixels = to_image_size(maps, stride, (48, 64))[0]
        rows, columns = torch.meshgrid(torch.arange(48.0) + 0.5, torch.arange(64.0) + 0.5, indexing="ij")
        centre = [float((pixels * axis).sum() / pixels.sum()) for axis in (rows, columns)]
        assert centre == pytest.approx([2.5 * stride, 3.5 * stride])


def test_a_bump_in_the_image_is_found_where_it_is(model):
    batch = torch.full((1, 1, 64, 96), 0.5)
    changed = batch.clone()
    changed[..., 33:39, 49:55] = 1.0  # centred on (36, 52)
    for level, features in enumerate(encoder_levels(model, batch)):
        far = torch.linalg.vector_norm(encoder_levels(model, changed)[level] - features, dim=1)
        pixels = to_image_size(far, level_stride(level, model.depth), (64, 96))[0]
        row, column = divmod(int(pixels.argmax()), 96)
        assert abs(row - 36) <= 8
        assert abs(column - 52) <= 8


def test_the_mirrored_border_leaves_no_trace_in_the_frame(model):
    whole = pad_to_multiple(images(1, 1, 50, 70), 8)
    for level, features in enumerate(encoder_levels(model, whole[..., :50, :70])):
        stride = level_stride(level, model.depth)
        expected = to_image_size(encoder_levels(model, whole)[level][:, 0], stride, (56, 72))[:, :50, :70]
        assert torch.equal(to_image_size(features[:, 0], stride, (50, 70)), expected)


@pytest.mark.parametrize("stride, size", [(2, (6, 8)), (8, (2, 2))])
def test_a_position_counts_where_its_cell_shows_foreground(stride, size):
    foreground = images(3, 11, 15) > 0.97
    padded = torch.zeros(3, 1, size[0] * stride, size[1] * stride)
    padded[..., :11, :15] = foreground[:, None].float()
    assert torch.equal(shown_positions(foreground, size, stride), avg_pool2d(padded, stride)[:, 0] > 0)


def test_pooling_looks_at_shown_positions_only():
    features, shown = images(2, 3, 4, 5), images(2, 4, 5, seed=1) > 0.5
    for one, inside, pooled in zip(features, shown, pool(features, shown), strict=True):
        torch.testing.assert_close(pooled, one[:, inside].mean(dim=1))
    assert torch.equal(pool(features, torch.zeros_like(shown)), torch.zeros(2, 3))


def test_positions_are_drawn_once_each_and_on_the_foreground_only():
    features, shown = torch.arange(40.0).view(2, 1, 4, 5), images(2, 4, 5) > 0.5
    inside = features[:, 0][shown].tolist()
    assert sorted(sample_positions(features, shown, 40, generator(0))[:, 0].tolist()) == inside
    few = sample_positions(features, shown, 5, generator(0))[:, 0].tolist()
    assert len(set(few)) == 5
    assert set(few) <= set(inside)
    assert few == sample_positions(features, shown, 5, generator(0))[:, 0].tolist()
    assert few != sample_positions(features, shown, 5, generator(1))[:, 0].tolist()


# -- distances ------------------------------------------------------------------------------------------------------


def test_mean_distance_equals_scipy(normal, queries):
    expected = cdist(queries.numpy(), normal.double().mean(dim=0)[None].numpy())[:, 0]
    np.testing.assert_allclose(MeanDistance.fit(normal)(queries), expected, rtol=1e-5)


@pytest.mark.parametrize("count", [3000, 8])  # fewer features than channels: the plain covariance has no inverse
def test_mahalanobis_distance_equals_scikit_learn(normal, queries, count):
    reference = LedoitWolf().fit(normal[:count].double().numpy())
    expected = np.sqrt(reference.mahalanobis(queries.double().numpy()))
    distance = MahalanobisDistance.fit(normal[:count])
    np.testing.assert_allclose(distance(queries), expected, rtol=1e-4)
    assert float(distance(distance.mean[None])) == 0
    np.testing.assert_allclose(distance.whitening @ distance.whitening.T, reference.precision_, rtol=1e-3, atol=1e-4)


def test_mahalanobis_distance_to_features_that_never_vary_is_a_number():
    assert MahalanobisDistance.fit(torch.ones(10, 3))(torch.rand(4, 3)).isfinite().all()


@pytest.mark.parametrize("neighbours", [1, 4])
def test_nearest_distance_equals_scipy(normal, queries, neighbours):
    distance = NearestDistance.fit(normal, neighbours, coreset=1.0)
    expected = np.sort(cdist(queries.double().numpy(), normal.double().numpy()), axis=1)[:, :neighbours].mean(axis=1)
    np.testing.assert_allclose(distance(queries), expected, rtol=1e-4)


def test_a_coreset_is_part_of_the_features_and_covers_them(normal):
    for coreset, count in ((0.1, 300), (300, 300), (10**6, 3000)):
        assert len(NearestDistance.fit(normal, coreset=coreset, draw=generator(0)).bank) == count
    covered = NearestDistance.fit(normal, coreset=300, draw=generator(0))
    assert (cdist(covered.bank, normal) == 0).any(axis=1).all()
    assert covered(normal).max() < NearestDistance(normal[:300])(normal).max()


def test_more_neighbours_than_the_coreset_holds_are_refused(normal):
    with pytest.raises(ValueError, match="neighbours=9, but the coreset holds 8 features; take a larger coreset"):
        NearestDistance.fit(normal, neighbours=9, coreset=8)


@pytest.mark.parametrize("kind", ["mean", "knn"])
def test_euclidean_distances_do_not_turn_with_the_axes(normal, queries, kind):
    turn = torch.linalg.qr(torch.randn(12, 12, generator=generator(0))).Q
    turned = fit_distance(kind, normal @ turn, coreset=1.0)(queries @ turn)
    torch.testing.assert_close(turned, fit_distance(kind, normal, coreset=1.0)(queries), rtol=1e-4, atol=1e-3)


def test_mahalanobis_distance_knows_the_shape_of_what_is_normal():
    normal = torch.randn(20_000, 2, generator=generator(0)) @ torch.tensor([[1.0, 1.0], [0.1, -0.1]])
    distance = MahalanobisDistance.fit(normal)(torch.tensor([[2.0, 2.0], [2.0, -2.0]]))
    assert distance[1] > 5 * distance[0]
    torch.testing.assert_close(*MeanDistance.fit(normal)(torch.tensor([[2.0, 2.0], [2.0, -2.0]])), rtol=0.02, atol=0)


def test_only_neighbours_know_two_kinds_of_normal():
    two = torch.cat([torch.randn(500, 3, generator=generator(k)) + 20 * (2 * k - 1) for k in range(2)])
    middle, inside = torch.zeros(1, 3), torch.full((1, 3), 20.0)
    for kind in FITTED:
        distance = fit_distance(kind, two, coreset=100)
        assert (distance(middle) > distance(inside)) == (kind == "knn")


# -- the space ------------------------------------------------------------------------------------------------------


def batches(*sizes, count=2):
    """Images of several sizes, foreground in their left half."""
    for seed, size in enumerate(sizes):
        foreground = torch.zeros(count, *size, dtype=torch.bool)
        foreground[..., : size[1] // 2] = True
        yield images(count, 1, *size, seed=seed), foreground


@pytest.mark.parametrize("kind", [*FITTED, "reconstruction"])
def test_maps_have_the_size_of_the_images(model, kind):
    space = LatentSpace(model, [2, 0, 3], kind)
    space.fit(batches((50, 70), (33, 41)), count=50)
    assert space.names == ["level 2", "level 0", "bottleneck"]
    for size in ((50, 70), (33, 41), (9, 3)):
        maps = space.maps(images(2, 1, *size))
        assert maps.shape == (3, 2, *size)
        assert (maps >= 0).all()
        assert space.pooled(images(2, 1, *size), torch.ones(2, *size, dtype=torch.bool)).shape == (2, 16 + 4 + 5)


def test_maps_are_distances_by_position(model):
    batch = images(2, 1, 48, 64, seed=7)
    for kind in FITTED:
        space = LatentSpace(model, [1], kind)
        space.fit(batches((48, 64)), count=200)
        features = encoder_levels(model, batch)[1]
        far = torch.stack([space.fitted[0](one.flatten(1).T).view(12, 16) for one in features])
        torch.testing.assert_close(space.maps(batch)[0], to_image_size(far, 4, (48, 64)), rtol=1e-4, atol=1e-5)


def test_the_redrawn_distance_compares_image_and_reconstruction(model):
    batch = images(2, 1, 48, 64)
    space = LatentSpace(model, [0, 3], "reconstruction")
    space.fit(batches((48, 64)), count=10)  # nothing to learn
    assert space.tensors() == {}
    ours, theirs = (encoder_levels(model, one)[0] for one in (batch, model(batch)))
    expected = to_image_size(torch.linalg.vector_norm(ours - theirs, dim=1), 2, (48, 64))
    torch.testing.assert_close(space.maps(batch)[0], expected)
    assert torch.equal(space.maps(batch), space.maps(batch, model(batch)))
    assert not space.maps(batch, batch).any()


def test_a_space_learns_from_the_foreground_only(model):
    clean, spoilt = list(batches((48, 64))), list(batches((48, 64)))
    spoilt[0][0][..., 56:] = 1.0  # further than a receptive field from the foreground
    for kind in FITTED:
        learned = []
        for given in (clean, spoilt):
            space = LatentSpace(model, [0, 1], kind)
            space.fit(given, count=100)
            learned.append(space.tensors())
        assert all(torch.equal(learned[0][name], learned[1][name]) for name in learned[0])
        with pytest.raises(ValueError, match="no training image shows any foreground to learn from"):
            space.fit([(one, torch.zeros_like(inside)) for one, inside in clean], count=100)


def test_pooled_features_do_not_see_the_background(model):
    (batch, foreground), *_ = batches((48, 64))
    space, spoilt = LatentSpace(model, [0, 1]), batch.clone()
    spoilt[..., 56:] = 1.0
    assert torch.equal(space.pooled(batch, foreground), space.pooled(spoilt, foreground))
    level = encoder_levels(model, batch)[0][..., :16]  # the left half
    torch.testing.assert_close(space.pooled(batch, foreground)[:, :4], level.mean(dim=(2, 3)))


@pytest.mark.parametrize("kind", [*FITTED, "reconstruction"])
def test_a_space_is_restored_from_its_tensors(model, kind):
    first, second = (LatentSpace(model, [3, 1], kind, neighbours=2, coreset=0.5) for _ in range(2))
    first.fit(batches((48, 64)), count=100)
    second.restore(first.tensors())
    assert torch.equal(first.maps(images(1, 1, 50, 70)), second.maps(images(1, 1, 50, 70)))


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"distance": "cosine"}, "distance must be one of mean, reconstruction, mahalanobis, knn, got 'cosine'"),
        ({"levels": []}, "from 0 to 3, the bottleneck, each once, or be None for all, got \\[\\]"),
        ({"levels": [4]}, "from 0 to 3"),
        ({"levels": [-1]}, "from 0 to 3"),
        ({"levels": [1, 1]}, "each once"),
        ({"levels": [True]}, "from 0 to 3"),
        ({"levels": 2}, "must list one or more levels"),
        ({"neighbours": 0}, "neighbours must be a positive integer, got 0"),
        ({"neighbours": 1.5}, "neighbours must be a positive integer, got 1.5"),
        ({"coreset": 0}, r"coreset must be a positive count or a float fraction in \(0, 1\], got 0"),
        ({"coreset": 1.5}, "coreset must be a positive count or a float fraction"),
        ({"coreset": True}, "coreset must be a positive count or a float fraction"),
    ],
)
def test_wrong_arguments_are_refused(model, settings, message):
    with pytest.raises(ValueError, match=message):
        LatentSpace(model, **settings)


# -- fusion ---------------------------------------------------------------------------------------------------------


def terms(*sizes):
    """Maps (2, B, H, W) of two terms in very unequal units, and a foreground."""
    units = torch.tensor([1e-3, 1e3])[:, None, None, None]
    return [
        ((images(2, 3, *size, seed=k) + torch.tensor([0.0, 40.0])[:, None, None, None]) * units, images(3, *size) > 0.3)
        for k, size in enumerate(sizes)
    ]


def test_a_scale_is_mean_and_deviation_of_foreground_pixels():
    given = terms((10, 20), (7, 9), (30, 5))
    given.insert(1, (given[0][0], torch.zeros_like(given[0][1])))  # nothing to see
    scale = Scale.fit(given, ["residual", "level"])
    pixels = np.concatenate([maps[:, inside].double().numpy() for maps, inside in given], axis=1)
    np.testing.assert_allclose(scale.mean, pixels.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(scale.deviation, pixels.std(axis=1), rtol=1e-6)
    z = torch.cat([scale.standardise(maps)[:, inside] for maps, inside in given], dim=1)
    torch.testing.assert_close(z.mean(dim=1), torch.zeros(2), atol=1e-3, rtol=0)
    torch.testing.assert_close(z.std(dim=1, correction=0), torch.ones(2), atol=1e-3, rtol=0)


def test_fusion_is_the_standardised_sum_but_for_one_constant():
    given = terms((10, 20), (7, 9))
    scale, weights = Scale.fit(given, ["residual", "level"]), torch.tensor([0.5, 2.0])
    constant = float((weights * scale.mean / scale.deviation).sum())
    for maps, _ in given:
        plain = torch.einsum("k,kbhw->bhw", weights, scale.standardise(maps))
        torch.testing.assert_close(fuse(maps, weights, scale), plain + constant, rtol=1e-4, atol=1e-4)
        assert (fuse(maps, weights, scale) >= 0).all()
    assert not fuse(torch.zeros(2, 1, 3, 3), weights, scale).any()


def test_units_do_not_matter_once_they_are_standardised():
    given, weights = terms((10, 20)), torch.ones(2)
    other = [(maps * torch.tensor([1e4, 1e-5])[:, None, None, None], inside) for maps, inside in given]
    fused = [fuse(g[0][0], weights, Scale.fit(g, ["a", "b"])) for g in (given, other)]
    torch.testing.assert_close(*fused, rtol=1e-4, atol=1e-4)
    plain = fuse(given[0][0], weights, Scale.identity(2))
    torch.testing.assert_close(plain, given[0][0].sum(dim=0))
    assert np.corrcoef(plain.flatten(), given[0][0][1].flatten())[0, 1] > 0.9999  # the larger unit decides alone


def test_a_scale_needs_pixels_that_differ():
    (maps, inside), *_ = terms((10, 20))
    with pytest.raises(ValueError, match="no validation image shows any foreground"):
        Scale.fit([(maps, torch.zeros_like(inside))], ["a", "b"])
    with pytest.raises(ValueError, match="b is the same at every pixel of the validation images"):
        Scale.fit([(torch.stack([maps[0], torch.ones_like(maps[0])]), inside)], ["a", "b"])


def test_positions_come_as_vectors_in_reading_order():
    features = images(2, 3, 4, 5)
    assert torch.equal(as_vectors(features)[4 * 5 + 5 + 2], features[1, :, 1, 2])
