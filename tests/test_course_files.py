"""Images in memory written as files."""

import numpy as np
import pytest
import torch

from adkit.course.files import write_images
from adkit.data.read import read_pixels


def test_eight_bits_come_back_as_they_were_and_old_files_go(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, 7), dtype=np.uint8)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "old.png").write_bytes(b"")
    images = {"colour": torch.from_numpy(pixels) / 255, "grey": pixels[:1] / 255, "flat": pixels[0] / 255}
    folder = write_images(tmp_path / "new", images)
    assert sorted(path.name for path in folder.iterdir()) == ["colour.png", "flat.png", "grey.png"]
    for name, expected in {"colour": pixels, "grey": pixels[:1], "flat": pixels[:1]}.items():
        np.testing.assert_array_equal(read_pixels(folder / f"{name}.png"), expected)


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((2, 4, 4)), "must be"),
        (np.zeros(4), "must be"),
        (np.full((4, 4), 1.5), "must lie in"),
        (np.full((4, 4), np.nan), "must lie in"),
    ],
)
def test_what_is_no_image_is_refused_and_nothing_is_emptied(image, message, tmp_path):
    (tmp_path / "kept").write_bytes(b"")
    with pytest.raises(ValueError, match=f"image 'a' {message}"):
        write_images(tmp_path, {"a": image})
    assert (tmp_path / "kept").is_file()
