"""Every image of a folder, read once, judged, and turned into what a report shows of it."""

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from adkit.data.masks import masks_among
from adkit.data.read import SUFFIXES, list_images
from adkit.data.uploads import OWN_FILES, ImageRefused, Limits
from adkit.deploy.judges import Judge, Judged, judge_bytes
from adkit.deploy.monitoring.reference import Reference
from adkit.deploy.pictures import coloured, data_uri, fitted, outline, shown
from adkit.metrics.components import regions
from adkit.runtime.progress import progress
from adkit.scoring.policy import Policy
from adkit.scoring.regions import Region, region_row

# pixels of a picture at most: a frame of 976 x 176 is shown as it is
PICTURE = 172_000
# outlines that are drawn at most
DRAWN = 60


@dataclass(frozen=True)
class Picture:
    """What is seen of an image.

    Attributes:
        image, map: as texts that a page can hold.
        kept, suppressed: outlines as SVG paths, in pixels of the file, each with what it is.
    """

    image: str
    map: str
    kept: list[tuple[str, str]]
    suppressed: list[tuple[str, str]]


@dataclass
class Row:
    """What a report says of one image; ``picture`` is None beyond the limit of pictures."""

    numbers: dict
    picture: Picture | None = None


@dataclass
class Rows:
    """All images of a folder, the worst first, and the files that were not judged."""

    rows: list[Row] = field(default_factory=list)
    skipped: list[dict] = field(default_factory=list)


def judge_folder(
    folder: str | Path,
    judge: Judge,
    policy: Policy,
    reference: Reference | None = None,
    limits: Limits = OWN_FILES,
    quiet: bool = False,
    leave_out: Path | None = None,
) -> Iterator[tuple[str, Judged | dict]]:
    """Judge each image file of a folder and below it, in order of their names.

    Args:
        folder: where the images lie.
        judge: the model.
        policy: where to cut.
        reference: what normal images look like.
        limits: of the images.
        quiet: show no progress.
        leave_out: a folder in it that is passed over.

    Yields:
        The name in the folder with what was found, or with ``path``, ``code`` and ``reason`` where nothing could be.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if there is no image in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; expected one with images")
    files = [path for path in list_images(folder, below=True) if not _within(path, leave_out)]
    for mask, image in (masks := masks_among(files, folder)).items():
        name = mask.relative_to(folder).as_posix()
        yield name, {"path": name, "code": "mask", "reason": f"it is the mask of {image.name}, not an image"}
    files = [path for path in files if path not in masks]
    if not files:
        raise ValueError(f"no images in {folder}; expected files that end in {', '.join(SUFFIXES)}")
    for path in progress(files, f"judging {folder.name}", quiet=quiet):
        name = path.relative_to(folder).as_posix()
        try:
            yield name, judge_bytes(path.read_bytes(), judge, policy, reference, limits)
        except ImageRefused as error:
            yield name, {"path": name, "code": error.code, "reason": str(error)}
        except OSError as error:
            yield name, {"path": name, "code": "unreadable", "reason": type(error).__name__}


def collect(judged: Iterator[tuple[str, Judged | dict]], policy: Policy, pictures: int = 200) -> Rows:
    """Rows of a report, the worst first; only so many of the worst keep their pictures.

    Args:
        judged: of :func:`judge_folder`.
        policy: under which they were judged.
        pictures: so many at most.
    """
    result, best_first = Rows(), []
    for number, (name, one) in enumerate(judged):
        if isinstance(one, dict):
            result.skipped.append(one)
            continue
        row = Row(row_of(name, one))
        result.rows.append(row)
        key = (*urgency(row.numbers, policy), number)
        if len(best_first) < pictures or (best_first and key > best_first[0][0]):
            row.picture = picture_of(one, policy)
            heapq.heappush(best_first, (key, row))
            if len(best_first) > pictures:
                heapq.heappop(best_first)[1].picture = None
    result.rows.sort(key=lambda row: urgency(row.numbers, policy), reverse=True)
    return result


def urgency(numbers: dict, policy: Policy) -> tuple:
    """By what rows are ordered: anomalous images and those of a dead camera first, each by the score."""
    order = {"fault": 3, "anomalous": 2, "review": 1, "normal": 0}
    return order[numbers["verdict"]], numbers["score"]


def row_of(name: str, judged: Judged) -> dict:
    """The numbers of one image, as report.json holds them."""
    decision, quality = judged.decision, judged.quality
    return {
        "path": name,
        "verdict": judged.verdict,
        "is_anomalous": decision.is_anomalous,
        "score": decision.score,
        "score_after": decision.score_after,
        "mask_share": float(decision.mask.mean()),
        "reason": decision.reason,
        "regions": [region_row(region) for region in decision.kept],
        "suppressed": [
            {"rule": one.rule, "value": one.value, "limit": one.limit, "strong": one.strong}
            | {"verdict_changed": one.verdict_changed, "region": region_row(one.region)}
            for one in decision.suppressed
        ],
        "input": quality.as_dict() | {"bits": 8 * judged.pixels.dtype.itemsize, "file_sha256": judged.sha256},
        "warnings": list(judged.warnings),
        "seconds": round(sum(judged.ms.values()) / 1000, 4),
    }


def picture_of(judged: Judged, policy: Policy) -> Picture:
    """The pictures of one image; its outlines stay lines, so that they can be hidden."""
    decision, a_map = judged.decision, judged.raw.anomaly_map
    raw = a_map >= policy.pixel_threshold
    kept = [(region, f"region {region.id}: {region.area} px, peak {region.peak:.4g}") for region in decision.kept]
    dropped = [
        (one.region, f"suppressed by {one.rule}: {one.value:.4g}, limit {one.limit:.4g}; peak {one.region.peak:.4g}")
        for one in decision.suppressed
    ]
    return Picture(
        data_uri(fitted(shown(judged.pixels), PICTURE), 78),
        data_uri(fitted(coloured(a_map, 2 * policy.pixel_threshold), PICTURE // 2), 60),
        _outlines(decision.mask, kept),
        _outlines(raw & ~decision.mask, dropped),
    )


def _outlines(mask: np.ndarray, described: list[tuple[Region, str]]) -> list[tuple[str, str]]:
    """The outline of each of the highest regions of a mask, with its words."""
    labels, _ = regions(mask)
    numbers = {(y.start, x.start, y.stop, x.stop): i for i, (y, x) in enumerate(ndimage.find_objects(labels), start=1)}
    drawn = []
    for region, text in described[:DRAWN]:
        top, left, height, width = region.box
        window = labels[top : top + height, left : left + width]
        number = numbers.get((top, left, top + height, left + width))
        drawn.append((outline(window == number if number else window > 0, top, left), text))
    return drawn


def _within(path: Path, folder: Path | None) -> bool:
    return folder is not None and folder.resolve() in path.resolve().parents


def now() -> str:
    """The time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
