"""Files to arrays: formats, modes, depths, and files that are no images."""

import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from adkit.data import read_image, read_mask
from adkit.data.read import Header, list_images, read_header, read_pixels, to_channels

GREY = np.random.default_rng(0).integers(0, 256, (6, 9), dtype=np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (6, 9, 3), dtype=np.uint8)
DEEP = np.random.default_rng(2).integers(0, 65536, (6, 9, 3), dtype=np.uint16)


def deep_png(path, pixels):
    """Write a 16-bit RGB PNG by hand: Pillow cannot."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".TIFF"])
def test_lossless_formats_keep_every_value(tmp_path, suffix):
    for pixels in (GREY, COLOUR):
        path = tmp_path / f"image{suffix}"
        Image.fromarray(pixels).save(path)
        image = read_image(path)
        assert image.dtype == torch.float32
        expected = np.atleast_3d(pixels).transpose(2, 0, 1)
        assert np.array_equal((image * 255).round().numpy().astype(np.uint8), expected)
        assert read_header(path) == Header((6, 9), len(expected), 8)


def test_jpeg(tmp_path):
    smooth = np.tile(np.arange(64, dtype=np.uint8) * 3, (64, 1))
    Image.fromarray(smooth).save(tmp_path / "image.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "image.jpg")[0].numpy() * 255 - smooth).max() < 5


def test_alpha_is_dropped_not_blended(tmp_path):
    alpha = np.zeros((6, 9, 1), np.uint8)
    Image.fromarray(np.concatenate([GREY[..., None], alpha], -1)).save(tmp_path / "la.png")
    Image.fromarray(np.concatenate([COLOUR, alpha], -1)).save(tmp_path / "rgba.png")
    assert np.array_equal(read_pixels(tmp_path / "la.png")[0], GREY)
    assert np.array_equal(read_pixels(tmp_path / "rgba.png"), COLOUR.transpose(2, 0, 1))


def test_palettes(tmp_path):
    grey = Image.fromarray(GREY).convert("P")
    colour = Image.fromarray(COLOUR).quantize(16)
    grey.save(tmp_path / "grey.png")
    colour.save(tmp_path / "colour.png", transparency=bytes(range(16)))
    assert np.array_equal(read_pixels(tmp_path / "grey.png")[0], GREY)
    assert read_header(tmp_path / "grey.png").channels == 1
    assert np.array_equal(read_pixels(tmp_path / "colour.png"), np.asarray(colour.convert("RGB")).transpose(2, 0, 1))
    assert read_header(tmp_path / "colour.png").channels == 3


def test_one_bit(tmp_path):
    Image.fromarray(GREY > 127).save(tmp_path / "bits.png")
    assert np.array_equal(read_image(tmp_path / "bits.png")[0].numpy(), (GREY > 127).astype(np.float32))


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_grey_keeps_its_precision(tmp_path, suffix):
    path = tmp_path / f"deep{suffix}"
    Image.fromarray(DEEP[..., 0]).save(path)
    assert read_header(path) == Header((6, 9), 1, 16)
    assert np.array_equal((read_image(path)[0].double() * 65535).round().numpy(), DEEP[..., 0])


def test_thirty_two_bit_integers_within_sixteen_bits(tmp_path):
    Image.fromarray(DEEP[..., 0].astype(np.int32)).save(tmp_path / "int.tif")
    assert np.array_equal(read_pixels(tmp_path / "int.tif")[0], DEEP[..., 0])


def test_sixteen_bit_colour_keeps_its_precision(tmp_path):
    path = deep_png(tmp_path / "deep.png", DEEP)
    assert read_header(path) == Header((6, 9), 3, 16)
    assert np.array_equal(read_pixels(path), DEEP.transpose(2, 0, 1))
    assert np.array_equal((read_image(path).double() * 65535).round().numpy(), DEEP.transpose(2, 0, 1))


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    Image.fromarray(GREY).save(tmp_path / "turned.png", exif=exif)
    assert np.array_equal(read_pixels(tmp_path / "turned.png")[0], np.rot90(GREY, -1))
    assert read_header(tmp_path / "turned.png").size == (9, 6)


def test_channels(tmp_path):
    Image.fromarray(COLOUR).save(tmp_path / "colour.png")
    Image.fromarray(GREY).save(tmp_path / "grey.png")
    luma = np.rint(COLOUR @ np.array([0.299, 0.587, 0.114]))
    assert np.abs(read_image(tmp_path / "colour.png", channels=1)[0].numpy() * 255 - luma).max() < 1.01
    repeated = read_image(tmp_path / "grey.png", channels=3)
    assert repeated.shape == (3, 6, 9)
    assert torch.equal(repeated[0], repeated[2])
    with pytest.raises(ValueError, match="channels must be 1, 3 or None"):
        read_image(tmp_path / "grey.png", channels=2)


def test_luma_of_floats_is_not_rounded():
    luma = to_channels(np.full((3, 2, 2), 0.4, np.float32), 1)
    assert (luma.shape, luma.dtype) == ((1, 2, 2), np.float32)
    assert np.allclose(luma, 0.4)
    assert to_channels(np.full((3, 2, 2), 100, np.uint16), 1).dtype == np.uint16


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_truncated_file_is_named(tmp_path, suffix):
    path = tmp_path / f"cut{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=f"cannot read .*cut{suffix}.*replace or remove"):
        read_image(path)


def test_no_image_at_all(tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(ValueError, match=r"cannot read .*text\.png"):
        read_header(tmp_path / "text.png")
    with pytest.raises(FileNotFoundError, match="no such image file"):
        read_image(tmp_path / "gone.png")


def test_values_that_have_no_range(tmp_path):
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "float.tif")
    Image.fromarray(np.full((4, 4), 70000, np.int32)).save(tmp_path / "large.tif")
    with pytest.raises(ValueError, match="floating-point values"):
        read_image(tmp_path / "float.tif")
    with pytest.raises(ValueError, match="beyond 16 bits"):
        read_image(tmp_path / "large.tif")


def test_masks_of_every_range(tmp_path):
    truth = GREY > 200
    soft = np.where(truth, 128, 127).astype(np.uint8)
    red = np.zeros((6, 9, 3), np.uint8)
    red[truth, 0] = 255
    variants = {
        "soft": soft,
        "ones": truth.astype(np.uint8),
        "bits": truth,
        "red": red,
        "deep": np.where(truth, 40000, 30000).astype(np.uint16),
        "deep_ones": truth.astype(np.uint16),
        "deep_255": truth.astype(np.uint16) * 255,
    }
    for name, values in variants.items():
        Image.fromarray(values).save(tmp_path / f"{name}.png")
        mask = read_mask(tmp_path / f"{name}.png")
        assert mask.dtype == bool, name
        assert np.array_equal(mask, truth), name
    Image.fromarray(np.zeros((6, 9), np.uint8)).save(tmp_path / "black.png")
    assert not read_mask(tmp_path / "black.png").any()


def test_listing_leaves_out_what_is_no_image(tmp_path):
    for name in ("b.png", "a.JPG", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder.png").mkdir()
    assert [file.name for file in list_images(tmp_path)] == ["a.JPG", "b.png"]


def test_listing_looks_below_where_it_is_asked_to(tmp_path):
    for name in ("b.png", "more/a.png", "more/deep/c.png", ".thumbnails/b.png", "more/.c.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    images = list_images(tmp_path, below=True)
    assert [path.relative_to(tmp_path).as_posix() for path in images] == ["b.png", "more/a.png", "more/deep/c.png"]
