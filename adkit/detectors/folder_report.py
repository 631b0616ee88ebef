"""Every image of a folder, judged: two tables for machines, and a picture of each image for people.

``out/predictions.csv`` and ``out/predictions.json`` hold one row an image, by its path in the folder; the second also
names every file that was not judged, with the reason. Beside them lies a picture ``<path>.png`` (its name is cut where
no file system would take it): the image; where the method reconstructs images, its reconstruction and the difference of
the two; its anomaly map; and the image with the mask outlined. All maps are coloured on one scale, from 0 to twice the
detector's pixel threshold, and all differences on another, from 0 to ``DIFFERENCE``: a colour means the same in every
picture.

The first table grows with each image. What a run that was killed has judged is taken over by the next one, see
:mod:`adkit.detectors.journal`.
"""

import csv
import hashlib
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation

from adkit.data.masks import masks_among
from adkit.data.read import SUFFIXES, list_images, read_image
from adkit.detectors.journal import Journal
from adkit.detectors.prediction import Prediction, Reconstruction
from adkit.runtime import atomic_path
from adkit.runtime.atomic import clear_folder
from adkit.runtime.progress import progress

COLUMNS = ("path", "score", "threshold", "is_anomalous", "mask_share")
# vermillion, which the colour-blind tell from any grey
OUTLINE = (213, 94, 0)
# formats of several pages, or frames
PAGED = (".tif", ".tiff", ".webp", ".gif")
# white pixels between the panels
GAP = 4
# difference of image and reconstruction that is shown in the brightest colour
DIFFERENCE = 0.5


def report_folder(
    folder: str | Path,
    out: str | Path,
    predict: Callable[[Path], tuple[Prediction, Reconstruction | None]],
    summary: dict,
    quiet: bool = False,
    identity: str = "",
    bits: int | None = None,
) -> list[dict]:
    """Judge all images in a folder and below it, and write the results to ``out``.

    Args:
        folder: where the images lie; what lies in ``out`` is not taken for one of them.
        out: where to write; files of an earlier run are replaced.
        predict: path of an image → its prediction and its reconstruction; None: there is none.
        summary: what predictions.json says of the detector; its ``pixel_threshold`` sets the scale of the colours.
        quiet: show no progress.
        identity: tells this detector from every other: what another one has judged is judged again.
        bits: that 16-bit files use, as the detector takes them; None: all 16.

    Returns:
        The rows of the tables: ``path`` in the folder, ``score``, ``threshold``, ``is_anomalous`` and ``mask_share``,
        the share of the pixels that reach the pixel threshold.

    Raises:
        TypeError: if ``folder`` or ``out`` is no path.
        FileNotFoundError: if the folder is missing.
        FileExistsError: if ``out`` is a file.
        ValueError: if there is no image in the folder, or ``out`` is the folder itself or one above it.

    Warns:
        UserWarning: if files were left out because they cannot be read, are of no format that is read, or are masks of
            images in the folder; predictions.json lists them as ``skipped``.
    """
    folder, out = _as_path(folder, "folder"), _as_path(out, "out")
    images, unread = find_images(folder, out)
    rows, skipped = [], [{"path": path.relative_to(folder).as_posix(), "reason": why} for path, why in unread.items()]
    damaged = 0
    with Journal(out, identity, COLUMNS) as journal:
        clear_folder(out)
        for path in progress(images, f"judging {folder.name}", quiet=quiet):
            name = path.relative_to(folder).as_posix()
            picture = out / picture_name(name)
            if (row := journal.find(name, path)) is not None and picture.is_file():
                rows.append(row)
                skipped += _later_pages(path, name)
                continue
            try:
                image = read_image(path, channels=3, bits=bits).numpy()
            except ValueError as error:
                damaged += 1
                skipped.append({"path": name, "reason": str(error)})
                continue
            prediction, reconstruction = predict(path)
            panels = prediction_panels(image, prediction, summary["pixel_threshold"], reconstruction)
            write_picture(panels, picture)
            rows.append(table_row(name, prediction))
            journal.add(rows[-1], path)
            skipped += _later_pages(path, name)
        journal.close()
        write_tables(summary, rows, skipped, out)
        journal.end()
    if damaged:
        warnings.warn(f"{damaged} file(s) of {folder} cannot be read; see {out / 'predictions.json'}", stacklevel=3)
    if others := len(skipped) - damaged:
        warnings.warn(
            f"{others} file(s) or page(s) of {folder} were not judged, for they are masks or none of the images that "
            f"are read; {out / 'predictions.json'} lists them",
            stacklevel=3,
        )
    return rows


def picture_name(name: str) -> str:
    """Where the picture of an image lies below ``out``; file systems take 255 bytes for a name, so long ones are cut.

    Args:
        name: path of the image in its folder.

    Example:
        >>> picture_name("line 2/a.png"), len(picture_name("x" * 250 + ".png"))
        ('line 2/a.png.png', 89)
    """
    place, _, last = name.rpartition("/")
    if len(last.encode()) > 200:
        last = f"{last[:60]}-{hashlib.sha256(last.encode()).hexdigest()[:24]}"
    return f"{place}/{last}.png" if place else f"{last}.png"


def _as_path(value: str | Path, name: str) -> Path:
    if not isinstance(value, str | Path):
        raise TypeError(f"{name} must be the path of a folder, got a {type(value).__name__}; judge one after another")
    return Path(value)


def find_images(folder: Path, out: Path) -> tuple[list[Path], dict[Path, str]]:
    """Image files in a folder and below it, sorted; hidden ones, masks and those in ``out`` are none.

    Args:
        folder: where to look.
        out: folder whose files do not count; it need not exist.

    Returns:
        The images, and every other file with the reason why it is none.

    Raises:
        FileNotFoundError: if the folder is missing.
        FileExistsError: if ``out`` is a file.
        ValueError: if there is no image in it, or ``out`` is the folder itself or one above it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; expected one with images")
    place = out.resolve()
    if place == folder.resolve() or place in folder.resolve().parents:
        raise ValueError(
            f"out must be a folder beside or below {folder}, got {out}: what lies in out is not judged, so nothing of "
            f"{folder} would be; take {folder / 'verdicts'}, say"
        )
    if out.exists() and not out.is_dir():
        raise FileExistsError(f"out must be a folder, and {out} is a file; choose another name")
    images = [path for path in list_images(folder, below=True) if place not in path.resolve().parents]
    if not images:
        raise ValueError(f"no images in {folder}; expected files that end in {', '.join(SUFFIXES)}")
    masks = masks_among(images, folder)
    unread = {mask: f"by its name the mask of {image.relative_to(folder)}" for mask, image in masks.items()}
    images = [path for path in images if path not in masks]
    taken = {*images, *masks}
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path in taken or hidden or not path.is_file() or place in path.resolve().parents:
            continue
        unread[path] = f"only files that end in {', '.join(SUFFIXES)} are judged"
    return images, unread


def _later_pages(path: Path, name: str) -> list[dict]:
    """The pages of an image behind its first, as what was not judged; none where there is one page."""
    if path.suffix.lower() not in PAGED:
        return []
    with Image.open(path) as image:
        count = getattr(image, "n_frames", 1)
    why = "only the first page of a file is judged"
    return [{"path": f"{name}, pages 2 to {count}", "reason": why}] if count > 1 else []


def prediction_panels(
    image: np.ndarray,
    prediction: Prediction,
    pixel_threshold: float,
    reconstruction: Reconstruction | None = None,
) -> np.ndarray:
    """The panels of one image, side by side; of a frame wider than high, one below the other.

    They are the image, its reconstruction and the difference (where there is one), its map and its outlined mask.

    Args:
        image: (3, H, W) in [0, 1].
        prediction: of this image.
        pixel_threshold: half of the map's value that is shown in the brightest colour.
        reconstruction: of this image; None: there is none.

    Returns:
        uint8 (H', W', 3).
    """
    plain = _bytes(image)
    outlined = plain.copy()
    outlined[binary_dilation(prediction.mask, iterations=2) & ~prediction.mask] = OUTLINE
    middle = []
    if reconstruction is not None:
        middle = [_bytes(reconstruction.image), _coloured(reconstruction.difference, DIFFERENCE)]
    panels = [plain, *middle, _coloured(prediction.anomaly_map, 2 * pixel_threshold), outlined]
    axis = 0 if plain.shape[1] > plain.shape[0] else 1
    gap = np.full((GAP, plain.shape[1], 3) if axis == 0 else (plain.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([part for panel in panels for part in (gap, panel)][1:], axis)


def _bytes(image: np.ndarray) -> np.ndarray:
    """(1 or 3, H, W) in [0, 1] as uint8 (H, W, 3)."""
    pixels = np.rint(255 * image.clip(0, 1).transpose(1, 2, 0)).astype(np.uint8)
    return np.broadcast_to(pixels, (*pixels.shape[:2], 3))


def _coloured(values: np.ndarray, brightest: float) -> np.ndarray:
    """Values (H, W) from 0 to the brightest as colours, uint8 (H, W, 3)."""
    # slow to import: only who draws pays
    from matplotlib import colormaps

    scale = max(brightest, np.finfo(np.float32).tiny)
    return colormaps["inferno"](np.clip(values / scale, 0, 1), bytes=True)[..., :3]


def table_row(name: str, prediction: Prediction) -> dict:
    """A row of the tables, by ``COLUMNS``.

    Args:
        name: of the image, as the table shows it.
        prediction: of the image.
    """
    share = float(prediction.mask.mean())
    return dict(
        zip(COLUMNS, (name, prediction.score, prediction.threshold, prediction.is_anomalous, share), strict=True)
    )


def write_picture(pixels: np.ndarray, path: Path) -> None:
    """Write uint8 pixels (H, W, 3) to an image file, whole or not at all."""
    with atomic_path(path, durable=False) as temporary:
        Image.fromarray(pixels).save(temporary)


def write_tables(summary: dict, rows: list[dict], skipped: list[dict], out: Path) -> None:
    """Write predictions.csv and predictions.json, each whole or not at all; the columns are those of the first row.

    Args:
        summary: what predictions.json says of the detector, see :meth:`adkit.detectors.judging.Judge.summary`.
        rows: one an image, of :func:`table_row`; more entries may stand beside.
        skipped: ``path`` and ``reason`` of files that could not be read.
        out: the folder.
    """
    with atomic_path(out / "predictions.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0] if rows else COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    report = {**summary, "images": rows, "skipped": skipped}
    with atomic_path(out / "predictions.json") as temporary:
        temporary.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
