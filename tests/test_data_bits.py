"""Bits that a camera used of 16: found, said, kept with the detector; a file, its bytes and its array give one map."""

import numpy as np
import pytest
import torch
from PIL import Image

from adkit import AutoencoderDetector, load_detector
from adkit.data import load_dataset, read_image
from adkit.data.read import read_header
from adkit.detectors.preprocessing import Preprocessing
from tests.conftest import TINY
from tests.data_files import write_image
from tests.test_data_read import deep_png


def write_deep(folder, bits, count=12, size=(24, 32), colour=False):
    """Noise that reaches the largest value of so many bits, in 16-bit files."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        shape = (*size, 3) if colour else size
        pixels = np.random.default_rng(k).integers(0, 2**bits, shape, dtype=np.uint16)
        pixels[0, 0] = 2**bits - 1
        if colour:
            deep_png(folder / f"{k:03d}.png", pixels)
        else:
            Image.fromarray(pixels).save(folder / f"{k:03d}.png")
    return folder


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_bits_are_found_over_the_set_and_said(tmp_path, bits, colour):
    splits = load_dataset("folder", write_deep(tmp_path / "a", bits, colour=colour))
    assert splits.train.bits == bits
    assert f"16-bit files use {bits} bits" in str(splits.found)
    assert max(float(splits.train[i]["image"].max()) for i in range(len(splits.train))) == 1.0


def test_one_dark_image_does_not_change_the_range(tmp_path):
    write_deep(tmp_path, 12)
    Image.fromarray(np.full((24, 32), 100, np.uint16)).save(tmp_path / "dark.png")
    splits = load_dataset("folder", tmp_path)
    images = {path: part[i]["image"] for part in (splits.train, splits.validation, splits.test)
              for i, path in enumerate(part.paths)}  # fmt: skip
    assert images[str(tmp_path / "dark.png")].max() == pytest.approx(100 / 4095)


def test_bits_can_be_said(tmp_path):
    splits = load_dataset("folder", write_deep(tmp_path, 10), bits=12)
    assert float(splits.train[0]["image"].max()) == pytest.approx(1023 / 4095)
    for wrong in (7, 17, "12", 12.5, True):
        with pytest.raises(ValueError, match="bits must be an integer from 8 to 16"):
            load_dataset("folder", tmp_path, bits=wrong)
    splits = load_dataset("folder", tmp_path, bits=8)
    with pytest.raises(ValueError, match=r"values up to 1023, and 8 bits end at 255; .*bits=16"):
        splits.train.preload()


def test_files_of_eight_bits_have_none_to_find(tmp_path):
    for k in range(12):
        write_image(tmp_path / f"{k}.png", seed=k)
    splits = load_dataset("folder", tmp_path)
    assert splits.train.bits is None
    assert Preprocessing.of(splits.train).bits is None
    assert splits.train.pixels(0).dtype == torch.uint8


def test_another_range_is_another_set(tmp_path):
    write_deep(tmp_path, 12)
    prints = [load_dataset("folder", tmp_path, bits=bits).fingerprint for bits in (12, 16, None)]
    assert prints[0] == prints[2] != prints[1]


def test_a_single_image_of_few_bits_warns(tmp_path):
    path = write_deep(tmp_path, 12, count=1) / "000.png"
    with pytest.warns(UserWarning, match=r"16-bit values of .*000\.png end at 4095 of 65535: pass bits=12"):
        assert read_image(path).max() < 0.0625
    assert read_image(path, bits=12).max() == 1.0
    with pytest.raises(ValueError, match="bits must be an integer"):
        read_image(path, bits=3)


def test_sixteen_bit_colour_with_alpha_or_turned(tmp_path):
    deep = np.random.default_rng(0).integers(0, 65536, (6, 9, 4), dtype=np.uint16)
    for channels, kind in ((4, 6), (2, 4)):
        path = tmp_path / f"{channels}.png"
        deep_png(path, deep[..., :channels])
        data = bytearray(path.read_bytes())
        data[25] = kind  # colour type of the head, whose checksum follows
        import zlib

        data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
        path.write_bytes(data)
        image = read_image(path)
        expected = deep[..., : 3 if channels == 4 else 1].transpose(2, 0, 1)
        assert np.array_equal((image.double() * 65535).round().numpy(), expected)
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "a.tif", deep[..., :3], photometric="rgb", extratags=[(274, "H", 1, 6, True)])
    turned = read_image(tmp_path / "a.tif")
    assert read_header(tmp_path / "a.tif").size == (9, 6)
    assert np.array_equal((turned.double() * 65535).round().numpy(), np.rot90(deep[..., :3], -1).transpose(2, 0, 1))
    for options in ({}, {"compression": "zlib"}):
        grey = deep[..., 0]
        tifffile.imwrite(
            tmp_path / "b.tif", grey, photometric="minisblack", extratags=[(274, "H", 1, 6, True)], **options
        )
        assert read_header(tmp_path / "b.tif").size == (9, 6)
        assert np.array_equal((read_image(tmp_path / "b.tif")[0].double() * 65535).round().numpy(), np.rot90(grey, -1))
    tifffile.imwrite(tmp_path / "planes.tif", deep[..., :3].transpose(2, 0, 1), photometric="rgb", planarconfig=2)
    with pytest.raises(ValueError, match=r"planes\.tif: it holds 16-bit colour in a layout that cannot be read"):
        read_image(tmp_path / "planes.tif")


# -- one path for pixels ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def detectors(tmp_path_factory):
    """Small autoencoders: resized to grey, tiled colour, and one of 12 bits."""
    root = tmp_path_factory.mktemp("sets")
    for k in range(10):
        write_image(root / f"colour/{k}.png", seed=k, size=(40, 56), channels=3)
    write_deep(root / "deep", 12, size=(40, 56))
    options = {
        "resized": ("colour", {"image_size": (32, 32), "channels": 1}),
        "tiled": ("colour", {"tile": 32}),
        "deep": ("deep", {"image_size": (32, 48)}),
    }
    fitted = {}
    for name, (folder, settings) in options.items():
        splits = load_dataset("folder", root / folder, **settings)
        with pytest.warns(UserWarning, match="threshold comes from 2 validation images"):
            fitted[name] = AutoencoderDetector(**TINY).fit(splits.train, splits.validation), root / folder
    return fitted


@pytest.mark.parametrize("name", ["resized", "tiled", "deep"])
def test_file_bytes_array_and_picture_give_one_map(detectors, name):
    detector, folder = detectors[name]
    path = sorted(folder.iterdir())[0]
    array = read_image(path, bits=detector.preprocessing.bits).numpy()
    reference = detector.predict(path)
    with Image.open(path) as picture:
        inputs = [path.read_bytes(), array, array.astype(">f4"), torch.from_numpy(array), array.astype(np.float64),
                  np.asfortranarray(array), picture]  # fmt: skip
        for given in inputs:
            prediction = detector.predict(given)
            assert np.array_equal(prediction.anomaly_map, reference.anomaly_map), type(given)
            assert prediction.score == reference.score


def test_bits_are_saved_with_the_detector(detectors, tmp_path):
    detector, folder = detectors["deep"]
    assert detector.preprocessing.bits == 12
    path = sorted(folder.iterdir())[0]
    loaded = load_detector(detector.save(tmp_path / "detector"))
    assert loaded.preprocessing.bits == 12
    assert loaded.predict(path).score == detector.predict(path).score
    Image.fromarray(np.full((40, 56), 5000, np.uint16)).save(tmp_path / "bright.png")
    with pytest.raises(ValueError, match="values up to 5000, and 12 bits end at 4095"):
        loaded.predict(tmp_path / "bright.png")


def test_older_detectors_know_of_no_bits():
    assert Preprocessing.from_dict({"channels": 1, "resize": None, "tile": [8, 8], "overlap": 2}).bits is None
    assert not Preprocessing.from_dict({"tile": [8, 8], "overlap": 2}).blend


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((32, 64, 3)), r"got \(32, 64, 3\); move the channels first: np.moveaxis\(image, -1, 0\)"),
        (np.zeros((32, 64, 4)), r"move the channels first: np.moveaxis\(image\[\.\.\., :3\], -1, 0\)"),
        (np.zeros((2, 1, 32, 64)), "pass one image of the batch at a time"),
        (None, "a path, bytes, a PIL image, or an array .* got NoneType; of several images pass one at a time"),
        ([np.zeros((32, 64))], "got list; of several images pass one at a time"),
        (np.array([["a"]]), "got an array of <U1"),
        (np.zeros((4, 4), np.uint8), "must be float in"),
        (b"", "cannot read 0 bytes"),
    ],
)
def test_what_is_no_image_is_refused_with_the_cure(image, message):
    with pytest.raises(ValueError, match=message):
        Preprocessing()(image)


def test_a_picture_of_sixteen_bit_colour_is_sent_back_to_its_file(tmp_path):
    path = write_deep(tmp_path, 12, count=1, colour=True) / "000.png"
    with Image.open(path) as picture, pytest.raises(ValueError, match="pass the path or the bytes"):
        Preprocessing()(picture)
