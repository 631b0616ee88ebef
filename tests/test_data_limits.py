"""What is opened, how large it may be, and files that are damaged."""

import io
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from adkit.data import formats, load_dataset, read_image, set_max_pixels
from adkit.data.read import list_images, read_header, read_pixels
from tests.data_files import write_image, write_mask, write_mvtec
from tests.layout_files import fill


@pytest.fixture(autouse=True)
def usual_limit():
    yield
    set_max_pixels(None)


@pytest.fixture(scope="module")
def bomb(tmp_path_factory):
    """A PNG of 169 megapixels and 20 to 160 kilobytes."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.png"
    Image.new("1", (13_000, 13_000)).save(path)
    return path


def test_a_bomb_is_refused_before_it_is_decoded(bomb):
    tracemalloc.start()
    for source in (bomb, bomb.read_bytes()):
        with pytest.raises(
            ValueError, match=r"would decode to 169,000,000 pixels, as a decompression bomb.*MAX_PIXELS"
        ):
            read_pixels(source)
        with pytest.raises(ValueError, match="decompression bomb"):
            read_header(source)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_the_limit_is_a_setting(bomb, monkeypatch):
    set_max_pixels(10_000)
    with pytest.raises(
        ValueError, match="169,000,000 pixels, more than the limit of 10,000; if it is an image of your"
    ):
        read_header(bomb)
    set_max_pixels(200_000_000)
    assert read_header(bomb).size == (13_000, 13_000)
    set_max_pixels(None)
    monkeypatch.setenv("ADKIT_MAX_PIXELS", "170000000")
    assert read_header(bomb).size == (13_000, 13_000)
    monkeypatch.setenv("ADKIT_MAX_PIXELS", "many")
    with pytest.raises(ValueError, match="ADKIT_MAX_PIXELS must be a positive integer, got 'many'"):
        read_header(bomb)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match="must be a positive integer or None"):
            set_max_pixels(wrong)


def test_a_line_scan_beyond_pillows_limit_is_read(tmp_path):
    path = tmp_path / "scan.bmp"
    width, height = 20_000, 10_000
    with path.open("wb") as file:  # a sparse file: the head, then nothing
        small = io.BytesIO()
        Image.new("L", (width, 1)).save(small, "BMP")
        head = bytearray(small.getvalue()[: 14 + 40 + 1024])
        head[22:26] = height.to_bytes(4, "little")
        file.write(head)
        file.truncate(len(head) + width * height)
    assert read_header(path).size == (height, width)
    assert Image.MAX_IMAGE_PIXELS is not None  # the limit of others in this process stays as it was
    formats.refuse_too_large((width, height), path.stat().st_size)
    with pytest.raises(ValueError, match="more than the limit of 536,870,912"):
        formats.refuse_too_large((40_000, 20_000), 10**9)


@pytest.mark.parametrize("format", ["GIF", "ICO", "PCX", "TGA", "EPS", "PDF"])
def test_other_formats_are_not_opened_whatever_their_name(tmp_path, format):
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, format)
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    with pytest.raises(ValueError, match="cannot read"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", [".webp", ".pgm", ".ppm", ".jfif", ".JPE"])
def test_further_names_are_read(tmp_path, suffix):
    format = {".jfif": "JPEG", ".JPE": "JPEG", ".webp": "WEBP"}.get(suffix, "PPM")
    Image.new("RGB" if suffix == ".ppm" else "L", (9, 6), 200).save(tmp_path / f"a{suffix}", format)
    assert list_images(tmp_path) == [tmp_path / f"a{suffix}"]
    assert read_image(tmp_path / f"a{suffix}", channels=1).shape == (1, 6, 9)


def test_bytes_are_read_as_files_are(tmp_path):
    path = write_image(tmp_path / "a.png", seed=0, channels=3)
    for data in (path.read_bytes(), bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        assert np.array_equal(read_pixels(data), read_pixels(path))
    with pytest.raises(ValueError, match="cannot read 3 bytes"):
        read_pixels(b"abc")


# -- damaged files ----------------------------------------------------------------------------------------------------


def spoil(folder):
    """Cut one image of each part, empty another, and make a mask of text."""
    for name in ("train/good/001.png", "test/crack/001.png"):
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    (folder / "train/good/002.png").write_bytes(b"")
    (folder / "test/good/001.png").write_text("not a picture")
    (folder / "ground_truth/crack/002_mask.png").write_text("no mask")


def test_damaged_files_are_skipped_and_listed(tmp_path):
    folder = write_mvtec(tmp_path, train=14, good=5)
    spoil(folder)
    with pytest.warns(UserWarning, match=r"5 file\(s\) cannot be read and are left out|no mask file") as caught:
        splits = load_dataset("mvtec", tmp_path, damaged="skip")
    assert caught[0].filename == __file__
    assert len(splits.train) + len(splits.validation) == 12
    assert splits.test.kinds == ["good"] * 4 + ["crack"] * 2
    assert [splits.test[i]["has_mask"] for i in (4, 5)] == [True, False]
    assert sum(why == "damaged" for why in splits.found.unused.values()) == 5
    for part in (splits.train, splits.validation, splits.test):
        part.preload()


def test_damaged_files_are_all_named_at_once(tmp_path):
    spoil(write_mvtec(tmp_path, train=14, good=5))
    with pytest.raises(ValueError, match=r"(?s)5 file\(s\) cannot be read; .*damaged='skip':.*001\.png.*002\.png"):
        load_dataset("mvtec", tmp_path, damaged="raise")
    with pytest.raises(ValueError, match="damaged must be 'skip', 'raise' or None, got 'no'"):
        load_dataset("mvtec", tmp_path, damaged="no")


def test_counting_decodes_nothing(tmp_path, monkeypatch):
    fill(tmp_path / "good", 20, 0)
    fill(tmp_path / "bad", 3, 50)
    for k in range(3):
        write_mask(tmp_path / f"masks/bad/{k:03d}.png")
    decoded = []

    def name_of(image):
        return str(getattr(getattr(image, "fp", None), "name", ""))

    real = Image.Image.load
    monkeypatch.setattr(Image.Image, "load", lambda self: decoded.append(name_of(self)) or real(self))
    from PIL import ImageFile

    file_load = ImageFile.ImageFile.load
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: decoded.append(name_of(self)) or file_load(self))
    splits = load_dataset("folder", tmp_path)
    assert len(splits.train) == 12
    assert {"masks" in name for name in set(decoded) - {""}} == {True}
