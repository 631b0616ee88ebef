"""Which pixels show the object: off-fabric background and selvedge are neither scored nor given synthetic defects.

A foreground is any function from a grey image (H, W) in [0, 1] to a bool array (H, W); two have names, ``fabric`` and
``all``.

Source: the rule ``fabric`` is our own, a walk along the strip with a running reference; its constants were read off the
strips of AITEX (Silvestre-Blanes et al., "A public fabric database for defect detection methods and results", Autex
Research Journal 19(4), 2019), by their edges and the marked defects, without any detector's result.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from adkit.data.read import to_channels

if TYPE_CHECKING:  # torch is slow to import, and a small inspection box has none
    from torch import Tensor

Foreground = Callable[[np.ndarray], np.ndarray]

BLOCKS = 256  # a strip is judged in that many blocks of columns, 16 pixels wide on a strip of 4096, nowhere below 8
REFERENCE = 16  # blocks of fabric that the next block is compared with
OFF = 0.6  # distance of log features from which a block is no fabric; on AITEX edges: 0.7 to 3.9, defects: below 0.57
STRIPES = 6  # a selvedge may look like fabric for that many blocks, and no longer
THREAD = 1.4  # columns so much brighter than the fabric, within two blocks of its end, belong to the selvedge


def full_foreground(image: np.ndarray) -> np.ndarray:
    """Every pixel is foreground.

    Args:
        image: grey image (H, W).

    Returns:
        Bool array (H, W).
    """
    return np.ones(image.shape, bool)


def fabric(image: np.ndarray) -> np.ndarray:
    """The columns of a fabric strip that show fabric, without background and selvedge at its left and right end.

    The walk starts in the fabric, a little right of the middle, and goes outwards. The strip ends at the first block of
    columns that looks unlike the fabric just before it, if from there to the border nothing looks like that fabric for
    long. So a defect is never cut out, however tall: fabric follows behind it. In doubt everything is kept; a selvedge
    woven like the fabric stays too. The block of columns next to an end that was found goes with it: there a network
    sees the background as well, and its map is several times as high as anywhere on good fabric.

    Args:
        image: grey image (H, W) in [0, 1], warp or weft along its rows.

    Returns:
        Bool array (H, W), equal in all rows.

    Example:
        >>> strip = np.random.default_rng(0).uniform(0.2, 0.6, (64, 1024))
        >>> strip[:, :200] = 1.0
        >>> int(np.flatnonzero(fabric(strip)[0])[0])
        208
    """
    height, width = image.shape
    block = max(8, width // BLOCKS)
    count = width // block
    on_fabric = np.ones(width, bool)
    if count >= 4 * REFERENCE and height > 1:
        features = _features(image[:, : count * block].reshape(height, count, block))
        start = round(0.6 * count)
        left = _blocks_off(features[:start][::-1]) * block
        right = (count - _blocks_off(features[count - start :])) * block
        bright = np.percentile(image[::2], 90, axis=0)
        if left:
            on_fabric[: left + _thread(bright[left:], block) + block] = False
        if right < count * block:
            on_fabric[right - _thread(bright[:right][::-1], block) - block :] = False
    return np.broadcast_to(on_fabric, image.shape).copy()


def _features(blocks: np.ndarray) -> np.ndarray:
    """Logs of median, 90th percentile and mean gradient down and across of each block of (H, blocks, width)."""
    median, bright = np.percentile(blocks[::2], [50, 90], axis=(0, 2))
    down = np.abs(np.diff(blocks, axis=0)).mean((0, 2))
    across = np.abs(np.diff(blocks, axis=2)).mean((0, 2))
    return np.log(np.stack([median, bright, down, across], axis=1) + 1 / 255)


def _blocks_off(features: np.ndarray) -> int:
    """How many blocks at the end of the walk, the border, are not fabric; ``features`` run from fabric to border."""
    for edge in range(REFERENCE + 3, len(features)):
        reference = np.median(features[edge - REFERENCE - 2 : edge - 2], axis=0)
        off = np.linalg.norm(features[edge:] - reference, axis=1) > OFF
        if off[0] and off[-1] and _longest_run(~off) <= STRIPES:
            return len(off)
    return 0


def _thread(bright: np.ndarray, block: int) -> int:
    """Columns to leave out at the fabric's end: bright selvedge threads, or a ragged border that shows background."""
    near, beyond = bright[: 2 * block], bright[2 * block : (2 + REFERENCE) * block]
    return int(np.flatnonzero(near > THREAD * np.median(beyond)).max(initial=-1)) + 1


def _longest_run(flags: np.ndarray) -> int:
    """Length of the longest run of True."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int((ends[1::2] - ends[::2]).max(initial=0))


def find_foreground(images: "Tensor", foreground: str | Foreground) -> "Tensor":
    """The foreground of whole images (B, C, H, W) in [0, 1]: bool (B, H, W) on their device.

    A tile shows too little of a strip to judge it: find the foreground of the whole image, then cut it into tiles.

    Args:
        images: (B, C, H, W) float in [0, 1], C being 1 or 3, on any device.
        foreground: ``all``, ``fabric``, or a function of a grey image (H, W) in [0, 1] that gives a bool array (H, W).

    Raises:
        ValueError: if the name is unknown, or the function returns anything else.
    """
    import torch

    find = resolve_foreground(foreground)
    foregrounds = [foreground_of(image, find) for image in images.detach().float().cpu().numpy()]
    return torch.from_numpy(np.stack(foregrounds)).to(images.device)


def foreground_of(image: np.ndarray, find: Foreground) -> np.ndarray:
    """The foreground, bool (H, W), of one image.

    Args:
        image: (C, H, W) float32 in [0, 1], C being 1 or 3.
        find: function of a grey image (H, W) in [0, 1], which colour is turned into.

    Raises:
        ValueError: if a function of the user's own returns anything but a bool array of the image's size.
    """
    foreground = np.asarray(find(to_channels(image, 1)[0]))
    if foreground.shape != image.shape[1:] or foreground.dtype != bool:
        raise ValueError(
            f"foreground must map a grey image {image.shape[1:]} to a bool array of that shape, "
            f"got {foreground.dtype} {foreground.shape}"
        )
    return foreground


FOREGROUNDS: dict[str, Foreground] = {"all": full_foreground, "fabric": fabric}


def resolve_foreground(foreground: str | Foreground, automatic: str = "all") -> Foreground:
    """The function of a name; ``auto`` stands for the one that suits the set.

    Args:
        foreground: ``all``, ``fabric``, ``auto``, or a function, which is returned as it is.
        automatic: the name that ``auto`` stands for.

    Raises:
        ValueError: if the name is unknown.
    """
    if callable(foreground):
        return foreground
    name = automatic if foreground == "auto" else foreground
    if name not in FOREGROUNDS:
        names = ", ".join(["auto", *sorted(FOREGROUNDS)])
        raise ValueError(f"foreground must be one of {names}, or a function of a grey image, got {foreground!r}")
    return FOREGROUNDS[name]
