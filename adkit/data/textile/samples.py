"""The embedded textile as a set: its records, woven when they are first needed and kept."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from adkit.data.read import Header
from adkit.data.samples import NORMAL
from adkit.data.textile.records import TextileRecord, textile_records

FRAME = (176, 976)  # the course's frame: height, width


@dataclass(frozen=True)
class TextileSample:
    """One frame of the textile; nothing lies on disk, so ``path`` is a name.

    Args:
        record: which frame.
        frame: height and width in pixels.
    """

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
        return _woven(self.record, self.frame)[0][None]

    def mask(self) -> np.ndarray:
        """The mask, bool (H, W)."""
        return _woven(self.record, self.frame)[1].copy()

    @property
    def details(self) -> dict:
        """``size`` in pixels and ``severity`` where they were chosen, see :func:`textile_parts`; None: by the frame."""
        return {"size": self.record.pixels, "severity": self.record.severity}

    def digests(self) -> tuple[str]:
        """A hash of what the frame is woven from: the same name is the same image."""
        how = "".join(f"/{name}={value:g}" for name, value in self.details.items() if value is not None)
        text = f"{self.path}/{self.kind}/{self.frame}{how}"
        return (hashlib.blake2b(text.encode(), digest_size=16).hexdigest(),)


def textile_parts(
    category: object,
    frame: tuple[int, int] | None,
    seed: int,
    types: Sequence[str] | None = None,
    sizes: Sequence[float] | None = None,
    severities: Sequence[float] | None = None,
    repeats: int | None = None,
) -> dict[str, list[TextileSample]]:
    """Train, validation and test samples.

    Args:
        category: a fabric, a list of fabrics, or None for all of them, taken in turn.
        frame: height and width in pixels that the cloth is woven at, not resized to; None: the course's 176 x 976.
        seed: integer, at least 0; another seed weaves other cloth.
        types: defect types of the test part: of ``DEFECT_TYPES`` and ``WHOLE_FRAME_TYPES``; None: ``DEFECT_TYPES``.
            This and what follows cross type, size and severity: each combination has as many frames as any other.
        sizes: longer side, in pixels, of the box around a defect (of its largest speck), to within 2 or 8 %: from 20 to
            75 % of the frame's shorter side, such as ``[24, 48, 96]``. None: each frame chooses, as usual for its type.
        severities: in (0, 1], such as ``[0.3, 0.6, 1.0]``. None: each frame chooses.
        repeats: frames of each combination; None: as few as make 50 in all.

    Raises:
        ValueError: if a fabric is unknown, the frame impossible, or what is crossed.
    """
    frame = frame or FRAME
    crossed = {"types": types, "sizes": sizes, "severities": severities, "repeats": repeats}
    records = textile_records(category, frame=frame, seed=seed, **crossed)
    return {part: [TextileSample(record, frame) for record in records[part]] for part in records}


@lru_cache(maxsize=256)
def _woven(record: TextileRecord, frame: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    return record.weave(frame)
