"""Small image sets on disk for the data tests."""

from pathlib import Path

import numpy as np
from PIL import Image


def write_image(path: Path, seed: int, size=(24, 32), channels=1) -> Path:
    """A noise image of (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = size if channels == 1 else (*size, channels)
    Image.fromarray(np.random.default_rng(seed).integers(60, 200, shape, dtype=np.uint8)).save(path)
    return path


def write_mask(path: Path, size=(24, 32), box=(4, 5, 9, 12)) -> Path:
    """A mask with one white box (top, left, bottom, right); None leaves it black."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros(size, np.uint8)
    if box:
        mask[box[0] : box[2], box[1] : box[3]] = 255
    Image.fromarray(mask).save(path)
    return path


def write_mvtec(root: Path, category="tile", train=12, good=4, kinds=("crack",), per_kind=3, suffix="_mask") -> Path:
    """A category in MVTec AD layout; returns its folder."""
    folder, seed = root / category, sum(map(ord, category)) * 10_000  # no two categories share an image
    for i in range(train):
        write_image(folder / f"train/good/{i:03d}.png", seed=seed + i)
    for i in range(good):
        write_image(folder / f"test/good/{i:03d}.png", seed=seed + 2000 + i)
    for k, kind in enumerate(kinds):
        for i in range(per_kind):
            write_image(folder / f"test/{kind}/{i:03d}.png", seed=seed + 3000 + 100 * k + i)
            write_mask(folder / f"ground_truth/{kind}/{i:03d}{suffix}.png")
    return folder


def write_aitex(root: Path, normals=10, defects=("0001_019_02", "0002_006_02"), roll="2306894-210033u") -> Path:
    """AITEX layout with one roll; every defect gets one mask."""
    for i in range(normals):
        write_image(root / f"NODefect_images/{roll}/{i:04d}_000_02.png", seed=4000 + i)
    for i, name in enumerate(defects):
        write_image(root / f"Defect_images/{name}.png", seed=5000 + i)
        write_mask(root / f"Mask_images/{name}_mask.png")
    return root
