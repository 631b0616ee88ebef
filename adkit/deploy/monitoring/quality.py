"""Whether an image can be judged at all: a dead camera is no defect."""

import hashlib
from dataclasses import asdict, dataclass

import numpy as np
from scipy import ndimage

# faults of the camera, whatever normal images look like: nothing can be judged
FAULTS = ("black", "white", "constant")
# warnings beside the faults; all but ``frozen`` need to know what normal images look like
WARNINGS = ("dark", "bright", "blurred", "noisy", "size", "channels", "frozen")
# of pixels at most that are looked at
LOOKED_AT = 1_000_000


@dataclass(frozen=True)
class Quality:
    """What an image is like, before anybody judges it.

    Attributes:
        mean, std: of the grey values, in [0, 1].
        black, white: share of the pixels at the lower and the upper end of the range.
        sharpness: standard deviation of the Laplacian over that of the grey values; noise has more, blur less.
        height, width, channels: of the file.
        sha256: hash of the pixels: of a camera that lives no two are equal.
    """

    mean: float
    std: float
    black: float
    white: float
    sharpness: float
    height: int
    width: int
    channels: int
    sha256: str

    @property
    def faults(self) -> list[str]:
        """Which of ``FAULTS`` the image has: it is black, white, or shows one value only."""
        if self.black > 0.99:
            return ["black"]
        if self.white > 0.99:
            return ["white"]
        return ["constant"] if self.std < 0.5 / 255 else []

    def as_dict(self) -> dict:
        """The numbers by name."""
        return asdict(self)


def input_quality(pixels: np.ndarray) -> Quality:
    """Look at an image as it is stored.

    Args:
        pixels: (1 or 3, H, W), uint8 or uint16, of :func:`adkit.data.uploads.decode_upload`.

    Example:
        >>> input_quality(np.zeros((1, 8, 8), np.uint8)).faults
        ['black']
    """
    channels, height, width = pixels.shape
    top = np.iinfo(pixels.dtype).max
    window = _middle(height, width)
    seen = pixels[(slice(None), *window)].astype(np.float32).mean(axis=0) / top
    std = float(seen.std())
    sharp = float(ndimage.laplace(seen).std())
    return Quality(
        mean=float(seen.mean()),
        std=std,
        black=float((seen <= 2 / 255).mean()),
        white=float((seen >= 253 / 255).mean()),
        sharpness=sharp / std if std > 1e-6 else 0.0,
        height=height,
        width=width,
        channels=channels,
        sha256=hashlib.sha256(np.ascontiguousarray(pixels)).hexdigest(),
    )


def _middle(height: int, width: int) -> tuple[slice, slice]:
    """The middle of an image, at full resolution: a smaller picture of a blurred image is sharp again."""
    shrink = min(1.0, (LOOKED_AT / (height * width)) ** 0.5)
    sides = [max(1, round(length * shrink)) for length in (height, width)]
    starts = [(length - side) // 2 for length, side in zip((height, width), sides, strict=True)]
    return tuple(slice(start, start + side) for start, side in zip(starts, sides, strict=True))
