"""What normal images look like to a detector: what every later image is compared with."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from adkit.deploy.monitoring.quality import Quality
from adkit.runtime.serialization import write_json

REFERENCE_FILE = "monitor.json"
# how far beyond all normal images a value may lie: a share of their range, and at least so much
MARGIN, LEAST_MARGIN = 0.5, 0.03


@dataclass(frozen=True)
class Reference:
    """Normal images as a detector and a camera saw them.

    Attributes:
        scores: of the images, at least one.
        mean, sharpness: of the images, see :class:`adkit.deploy.monitoring.quality.Quality`; empty where only the
            scores are known.
        sizes: (height, width, channels) that occur.
        threshold_n: number of normal scores that the image threshold rests on.
        made_from: in words.
    """

    scores: tuple[float, ...]
    mean: tuple[float, ...] = ()
    sharpness: tuple[float, ...] = ()
    sizes: tuple[tuple[int, int, int], ...] = ()
    threshold_n: int = 0
    made_from: str = ""

    def __post_init__(self):
        for name in ("scores", "mean", "sharpness"):
            values = tuple(float(value) for value in getattr(self, name))
            if not np.isfinite(values).all():
                raise ValueError(f"{name} of a reference must be finite numbers")
            object.__setattr__(self, name, values)
        if not self.scores:
            raise ValueError("a reference needs the score of at least one normal image")
        object.__setattr__(self, "sizes", tuple(tuple(int(side) for side in size) for size in self.sizes))
        object.__setattr__(self, "threshold_n", int(self.threshold_n) or len(self.scores))

    @classmethod
    def of(cls, scores: Sequence[float], qualities: Iterable[Quality], threshold_n: int = 0, made_from: str = ""):
        """A reference of judged normal images.

        Args:
            scores: of the images.
            qualities: of the same images.
            threshold_n: number of normal scores that the image threshold rests on; 0: as many as here.
            made_from: in words.
        """
        qualities = list(qualities)
        return cls(
            scores=tuple(scores),
            mean=tuple(one.mean for one in qualities),
            sharpness=tuple(one.sharpness for one in qualities),
            sizes=tuple(sorted({(one.height, one.width, one.channels) for one in qualities})),
            threshold_n=threshold_n,
            made_from=made_from,
        )

    def warnings(self, quality: Quality) -> list[str]:
        """What is unusual about an image beside those of the reference; faults come first.

        Args:
            quality: of the image.
        """
        found = list(quality.faults)
        if self.mean and not found:
            found += _outside(quality.mean, self.mean, "dark", "bright", LEAST_MARGIN)
            found += _outside(quality.sharpness, self.sharpness, "blurred", "noisy", 0.1 * max(self.sharpness))
        if self.sizes:
            sizes = {size[:2] for size in self.sizes}
            found += ["size"] * ((quality.height, quality.width) not in sizes)
            found += ["channels"] * (quality.channels not in {size[2] for size in self.sizes})
        return found

    def save(self, path: str | Path) -> Path:
        """Write the reference, whole or not at all.

        Args:
            path: of the file, or a folder (a detector's), which gets a ``monitor.json``.
        """
        path = Path(path)
        path = path / REFERENCE_FILE if path.is_dir() else path
        write_json(path, asdict(self))
        return path

    @classmethod
    def load(cls, path: str | Path) -> "Reference":
        """Read a reference; raises a FileNotFoundError, or a ValueError where the file is damaged."""
        path = Path(path)
        path = path / REFERENCE_FILE if path.is_dir() else path
        if not path.is_file():
            raise FileNotFoundError(f"no reference at {path}; adkit monitor DETECTOR --normals FOLDER makes one")
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"the reference {path} is damaged ({error}); make it anew") from error


def _outside(value: float, known: Sequence[float], below: str, above: str, least: float) -> list[str]:
    low, high = np.quantile(known, [0.001, 0.999])
    margin = max(MARGIN * (high - low), least)
    return [below] * bool(value < low - margin) + [above] * bool(value > high + margin)
