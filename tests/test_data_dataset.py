"""The dataset: items, batches, sizes, tiles, memory."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from adkit.data import AnomalyDataset, image_cache, load_dataset
from adkit.data.samples import FileSample
from adkit.data.tiling import stitch
from tests.data_files import write_image, write_mask, write_mvtec

KEYS = {"image", "mask", "label", "kind", "category", "path", "has_mask", "foreground", "source", "top", "left"}


@pytest.fixture
def splits(tmp_path):
    write_mvtec(tmp_path)
    return load_dataset("mvtec", tmp_path)


def sample(path, **options):
    return FileSample(path, "c", path.stem, **options)


def test_items_and_batches(splits):
    item = splits.test[-1]
    assert set(item) == KEYS
    assert item["image"].dtype == torch.float32
    assert item["image"].shape == (1, 24, 32)
    assert item["mask"].dtype == item["foreground"].dtype == torch.bool
    assert (item["label"], item["kind"], item["has_mask"]) == (1, "crack", True)
    assert int(item["mask"].sum()) == 5 * 7
    batch = next(iter(DataLoader(splits.test, batch_size=7)))
    assert batch["image"].shape == (7, 1, 24, 32)
    assert batch["label"].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert batch["has_mask"].all()
    assert splits.test.labels.dtype == np.int64
    assert splits.test.kinds[:1] == ["good"]
    assert (splits.test.defect_types, splits.train.defect_types) == (["crack"], [])
    assert splits.test.image_size == (24, 32)
    assert not splits.train.labels.any()


def test_a_changed_item_leaves_the_dataset_alone(splits):
    before = splits.train[0]["image"].clone()
    for value in splits.train[0].values():
        if isinstance(value, torch.Tensor):
            value.zero_()
    assert torch.equal(splits.train[0]["image"], before)
    assert splits.train.foreground(0).all()


def test_unequal_sizes_in_a_batch(tmp_path):
    files = [write_image(tmp_path / f"{i}.png", seed=i, size=(20 + i, 30)) for i in range(3)]
    dataset = AnomalyDataset([sample(file) for file in files])
    assert dataset.image_size is None
    assert dataset[2]["image"].shape == (1, 22, 30)
    with pytest.raises(ValueError, match=r"got 20 x 30, 21 x 30, 22 x 30.*image_size=.*tile="):
        next(iter(DataLoader(dataset, batch_size=3)))
    assert AnomalyDataset([sample(file) for file in files], image_size=(16, 16)).image_size == (16, 16)
    assert next(iter(DataLoader(dataset, batch_size=1)))["image"].shape == (1, 1, 20, 30)


def test_image_size_leaves_the_original_mask(tmp_path):
    file = write_image(tmp_path / "a.png", seed=0, size=(24, 32))
    mask = write_mask(tmp_path / "m.png", box=(3, 4, 5, 6))
    dataset = AnomalyDataset([sample(file, kind="bad", masks=(mask,))], image_size=(6, 8), channels=3)
    assert dataset[0]["image"].shape == (3, 6, 8)
    assert dataset[0]["mask"].shape == (6, 8)
    assert dataset[0]["mask"].sum() >= 1
    assert dataset.original_mask(0).shape == dataset.original_size(0) == (24, 32)
    assert dataset.original_mask(0).sum() == 4
    assert dataset.resize == dataset.image_size == dataset.frame_size(0) == (6, 8)


def test_normals_and_images_without_mask(tmp_path):
    files = [write_image(tmp_path / f"{i}.png", seed=i) for i in range(2)]
    dataset = AnomalyDataset([sample(files[0]), sample(files[1], kind="bad")])
    assert dataset.original_mask(0).sum() == 0
    assert dataset.original_mask(1) is None
    assert [item["has_mask"] for item in dataset] == [True, False]
    assert not dataset[1]["mask"].any()


def test_two_masks_are_united(tmp_path):
    masks = tuple(write_mask(tmp_path / f"m{i}.png", box=(i * 4, 0, i * 4 + 2, 3)) for i in range(2))
    dataset = AnomalyDataset([sample(write_image(tmp_path / "a.png", seed=0), kind="bad", masks=masks)])
    assert dataset.original_mask(0).sum() == 12


def test_tiles_put_together_give_the_image(splits, tmp_path):
    tiled = load_dataset("mvtec", tmp_path, tile=16, overlap=4)
    whole = splits.test
    assert tiled.test.image_size == tiled.test.tile == (16, 16)
    for k, group in enumerate(tiled.test.groups()):
        items = [tiled.test[i] for i in group]
        corners = [(item["top"], item["left"]) for item in items]
        image = stitch([item["image"] for item in items], corners, tiled.test.frame_size(group[0]))
        assert torch.equal(image, whole[k]["image"])
        masks = stitch([item["mask"].float() for item in items], corners, (24, 32))
        assert torch.equal(masks > 0, whole[k]["mask"])
        assert {item["label"] for item in items} == {whole[k]["label"]}
        assert np.array_equal(tiled.test.original_mask(group[0]), whole.original_mask(k))


def test_an_image_smaller_than_the_tile_is_mirrored(tmp_path):
    file = write_image(tmp_path / "a.png", seed=0, size=(10, 40))
    mask = write_mask(tmp_path / "m.png", size=(10, 40), box=(0, 0, 10, 40))
    dataset = AnomalyDataset([sample(file, kind="bad", masks=(mask,))], tile=(16, 16))
    item = dataset[0]
    assert item["image"].shape == (1, 16, 16)
    assert torch.equal(item["image"][0, 10], item["image"][0, 8])
    assert not item["mask"][10:].any()
    assert not item["foreground"][10:].any()
    assert item["foreground"][:10].all()


def right_half(image):
    columns = np.arange(image.shape[1]) >= image.shape[1] // 2
    return np.broadcast_to(columns, image.shape)


def test_tiles_of_background_are_not_trained_on(tmp_path):
    write_mvtec(tmp_path)
    splits = load_dataset("mvtec", tmp_path, tile=8, overlap=0, foreground=right_half)
    assert {splits.train[i]["left"] for i in range(len(splits.train))} == {16, 24}
    assert {splits.test[i]["left"] for i in range(len(splits.test))} == {0, 8, 16, 24}
    assert splits.train.foreground_name.endswith("right_half")
    with pytest.raises(ValueError, match="shows any foreground"):
        load_dataset("mvtec", tmp_path, tile=8, foreground=lambda image: np.zeros(image.shape, bool))


def test_subset_and_fingerprint(splits):
    part = splits.test.subset([5, 0])
    assert part.kinds == ["crack", "good"]
    assert torch.equal(part[1]["image"], splits.test[0]["image"])
    assert part.groups() == [[0], [1]]
    assert part.fingerprint == splits.test.subset([5, 0]).fingerprint
    assert part.fingerprint != splits.test.fingerprint
    assert part.preload() is part


def test_sixteen_bits_beside_eight(tmp_path):
    values = np.random.default_rng(0).integers(0, 65536, (24, 32), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    dataset = AnomalyDataset([sample(tmp_path / "deep.png"), sample(write_image(tmp_path / "a.png", seed=0))])
    assert [dataset.pixels(i).dtype for i in (0, 1)] == [torch.float32] * 2
    assert np.array_equal((dataset[0]["image"][0].double() * 65535).round().numpy(), values)
    assert torch.equal(dataset[1]["image"], AnomalyDataset([sample(tmp_path / "a.png")])[0]["image"])


def test_grey_beside_colour_becomes_colour(tmp_path):
    files = [write_image(tmp_path / "grey.png", seed=0), write_image(tmp_path / "colour.png", seed=1, channels=3)]
    dataset = AnomalyDataset([sample(file) for file in files])
    assert dataset.channels == 3
    assert torch.equal(dataset.pixels(0)[0], dataset.pixels(0)[1])
    assert AnomalyDataset([sample(files[1])], channels=1).pixels(0).shape == (1, 24, 32)


def test_pixels_are_decoded_once_and_not_copied(splits, monkeypatch):
    splits.train.preload()
    monkeypatch.setattr(FileSample, "read", lambda self: pytest.fail("decoded twice"))
    assert splits.train.pixels(0).dtype == torch.uint8
    assert splits.train.pixels(0).data_ptr() == splits.train.pixels(0).data_ptr()


def test_above_the_limit_pixels_lie_in_a_file(splits, tmp_path, monkeypatch):
    monkeypatch.setattr(image_cache, "MEMORY_LIMIT", 100)
    mapped = load_dataset("mvtec", tmp_path).test
    assert isinstance(mapped._cache._buffer.base, np.memmap)
    assert torch.equal(mapped[2]["image"], splits.test[2]["image"])


def test_a_dataset_of_nothing():
    with pytest.raises(ValueError, match="at least one sample"):
        AnomalyDataset([])
