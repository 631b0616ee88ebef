"""The embedded textile as a set: its records, drawn when they are first needed and kept."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adkit.data.read import Header
from adkit.data.samples import NORMAL
from adkit.data.textile import TextileRecord, textile_records

FRAME = (176, 976)  # the course's frame: height, width


@dataclass(frozen=True)
class TextileSample:
    """One frame of the textile; nothing lies on disk, so ``path`` is a name."""

    record: TextileRecord
    frame: tuple[int, int] = FRAME
    has_mask = True
    nbytes = 0

    @property
    def path(self) -> str:
        """``textile/<fabric>/<seed>/<index>``."""
        return f"textile/{self.record.fabric}/{self.record.seed}/{self.record.index}"

    source = path

    @property
    def category(self) -> str:
        """The fabric."""
        return self.record.fabric

    @property
    def kind(self) -> str:
        """Type of the defect, or ``good``."""
        return self.record.kind or NORMAL

    @property
    def header(self) -> Header:
        """Grey, 8 bits, at the frame's size."""
        return Header(self.frame, channels=1, bits=8)

    def read(self) -> np.ndarray:
        """The image, uint8 (1, H, W)."""
        return _draw(self.record, self.frame)[0][None]

    def mask(self) -> np.ndarray:
        """The mask, bool (H, W)."""
        return _draw(self.record, self.frame)[1].copy()

    def digests(self) -> tuple[str]:
        """A hash of what the frame is drawn from: the same name is the same image."""
        return (hashlib.blake2b(f"{self.path}/{self.kind}/{self.frame}".encode(), digest_size=16).hexdigest(),)


def textile_parts(category: object, frame: tuple[int, int] | None, seed: int) -> dict[str, list[TextileSample]]:
    """Train, validation and test samples; with a frame, the cloth is drawn at that size, not resized."""
    frame = frame or FRAME
    records = textile_records(category, frame=frame, seed=seed)
    return {part: [TextileSample(record, frame) for record in records[part]] for part in records}


@lru_cache(maxsize=256)
def _draw(record: TextileRecord, frame: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return record.draw(frame)
