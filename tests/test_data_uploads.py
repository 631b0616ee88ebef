"""The bytes of image files: one decoder whichever way they come, and what a service must not swallow."""

import contextlib
import io
import zlib
from struct import pack

import numpy as np
import pytest
from PIL import Image

from adkit import AutoencoderDetector
from adkit.data import AnomalyDataset
from adkit.data.read import read_header, read_pixels
from adkit.data.samples import FileSample
from adkit.data.uploads import MOST_SCANS, ImageRefused, Limits, decode_upload
from adkit.detectors.preprocessing import ArraySample
from tests.conftest import TINY

NOISE = np.random.default_rng(0).integers(0, 256, (24, 40, 4), dtype=np.uint8)


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


KINDS = {
    "grey.png": lambda path: Image.fromarray(NOISE[..., 0]).save(path),
    "colour.png": lambda path: Image.fromarray(NOISE[..., :3]).save(path),
    "alpha.png": lambda path: Image.fromarray(NOISE).save(path),
    "palette.png": lambda path: Image.fromarray(NOISE[..., :3]).quantize(16).save(path),
    "grey_alpha.png": lambda path: Image.fromarray(NOISE).convert("LA").save(path),
    "sixteen.png": lambda path: Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257).save(path),
    "sixteen.tif": lambda path: Image.fromarray(NOISE[..., 0].astype(np.uint16) * 100).save(path),
    "turned.jpg": lambda path: Image.fromarray(NOISE[..., :3]).save(path, exif=exif(6)),
    "turned.png": lambda path: Image.fromarray(NOISE[..., 0]).save(path, exif=exif(8)),
    "plain.jpg": lambda path: Image.fromarray(NOISE[..., 0]).save(path, quality=80),
    "colour.bmp": lambda path: Image.fromarray(NOISE[..., :3]).save(path),
    "one_bit.png": lambda path: Image.fromarray(NOISE[..., 0] > 127).save(path),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, save in KINDS.items():
        save(folder / name)
    return folder


@pytest.mark.parametrize("name", KINDS)
def test_bytes_and_file_give_the_same_pixels(name, files):
    data = (files / name).read_bytes()
    ours, theirs = decode_upload(data), read_pixels(files / name)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


SETTINGS = {
    "native": {},
    "resize": {"image_size": (32, 64)},
    "tiles": {"tile": (32, 32), "overlap": 8},
    "fabric": {"foreground": "fabric"},
    "colour": {"channels": 3, "image_size": (48, 32)},
}


@pytest.mark.parametrize("preprocessing", SETTINGS)
def test_path_bytes_and_decoded_pixels_are_judged_alike(preprocessing, files, tmp_path):
    rng = np.random.default_rng(1)
    for i in range(6):
        Image.fromarray(rng.integers(0, 256, (32, 64), dtype=np.uint8)).save(tmp_path / f"{i}.png")
    samples = [FileSample(tmp_path / f"{i}.png", "", str(i)) for i in range(6)]
    options = {"channels": 1} | SETTINGS[preprocessing]
    with pytest.warns(UserWarning, match="validation images"):
        detector = AutoencoderDetector(**TINY | {"steps": 2}).fit(
            AnomalyDataset(samples[:3], **options), AnomalyDataset(samples[3:], **options)
        )
    for name in KINDS:
        by_path = detector.predict(files / name)
        data = (files / name).read_bytes()
        for other in (detector.predict(data), detector.predict(ArraySample(decode_upload(data)))):
            assert other.score == by_path.score
            np.testing.assert_array_equal(other.anomaly_map, by_path.anomaly_map)


# -- what is refused -------------------------------------------------------------------------------------------------


def png(width, height, compressed=b""):
    def chunk(kind, data):
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    head = pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", compressed) + chunk(b"IEND", b"")


def encoded(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(NOISE[..., :3]).save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(data, limits=None):
    with pytest.raises(ImageRefused) as caught:
        decode_upload(data, limits)
    return caught.value.code


def test_a_bomb_is_refused_by_its_header():
    for side in (6_000, 13_000, 30_000):
        assert refusal(png(side, side, zlib.compress(bytes(1000)))) == "too_many_pixels"
    assert refusal(png(20_000, 10)) == "too_many_pixels"  # a side alone
    assert refusal(png(10, 10, zlib.compress(bytes(110))), Limits(pixels=99)) == "too_many_pixels"
    assert decode_upload(png(10, 10, zlib.compress(bytes(110))), Limits(pixels=100)).shape == (1, 10, 10)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PPM", "PDF", "ICO", "TGA", "EPS", "JPEG2000"])
def test_other_formats_are_refused_whatever_the_name(kind):
    assert refusal(encoded(kind)) == "unsupported_format"


@pytest.mark.parametrize("data", [b"SIMPLE  =", b"%!PS-Adobe-3.0 EPSF", b"<svg/>", b"PK\x03\x04", b"{}", b"\x00" * 99])
def test_what_is_no_image_is_refused(data):
    assert refusal(data) == "unsupported_format"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP"])
def test_what_was_cut_off_is_damaged(kind):
    whole = encoded(kind)
    for tenth in range(1, 10):
        assert refusal(whole[: len(whole) * tenth // 10]) in ("damaged",)
    assert refusal(b"") == "empty"
    assert refusal(whole, Limits(bytes=len(whole) - 1)) == "too_large"


def test_several_pages_are_refused():
    pages = [Image.fromarray(NOISE[..., 0]), Image.fromarray(NOISE[..., 1])]
    for kind in ("TIFF", "PNG"):
        buffer = io.BytesIO()
        pages[0].save(buffer, kind, save_all=True, append_images=pages[1:])
        assert refusal(buffer.getvalue()) == "multi_page"
        assert decode_upload(buffer.getvalue(), Limits(pages=2)).shape == (1, 24, 40)


def test_floating_point_is_refused():
    buffer = io.BytesIO()
    Image.fromarray(NOISE[..., 0].astype(np.float32)).save(buffer, "TIFF")
    assert refusal(buffer.getvalue()) == "unsupported_mode"


def tiled(side, width, height, data=b""):
    """A grey TIFF of side x side pixels in one tile, not compressed."""
    entries = {256: side, 257: side, 258: 8, 259: 1, 262: 1, 277: 1, 322: width, 323: height}
    entries |= {324: 8 + 2 + 12 * 10 + 4, 325: len(data)}
    body = b"".join(pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\x00" + pack("<IH", 8, len(entries)) + body + bytes(4) + data


def test_a_small_image_in_a_huge_tile_is_refused_before_it_is_decoded(tmp_path):
    tile = np.zeros((32, 48), np.uint8)
    tile[:16, :16] = NOISE[:16, :16, 0]
    np.testing.assert_array_equal(decode_upload(tiled(16, 48, 32, tile.tobytes()))[0], tile[:16, :16])
    (tmp_path / "tile.tif").write_bytes(tiled(16, 40_000, 50_000, bytes(256)))
    assert refusal((tmp_path / "tile.tif").read_bytes()) == "damaged"
    for read in (read_pixels, read_header):
        with pytest.raises(ValueError, match="its 16 x 16 pixels lie in tiles of 50000 x 40000; save it anew"):
            read(tmp_path / "tile.tif")


def test_a_jpeg_of_a_thousand_scans_is_refused():
    whole = encoded("JPEG", progressive=True)
    assert decode_upload(whole).shape == (3, 24, 40)
    last = whole[whole.rfind(b"\xff\xda") : -2]
    few, many = (whole[:-2] + last * count + whole[-2:] for count in (20, MOST_SCANS))
    assert decode_upload(few).shape == (3, 24, 40)
    assert refusal(many) == "damaged"


def test_random_bytes_are_never_another_error():
    rng, whole = np.random.default_rng(0), {kind: encoded(kind) for kind in ("PNG", "JPEG", "TIFF", "BMP")}
    for _ in range(400):
        for data in whole.values():
            changed = bytearray(data)
            for place in rng.integers(0, min(len(data), 200), 3):
                changed[place] = rng.integers(256)
            with contextlib.suppress(ImageRefused):
                assert decode_upload(bytes(changed)).ndim == 3
