"""A test set made of good images and drawn defects, on disk in the layout of MVTec AD, masks included.

    out/train/good/*.png            normal images to learn from
    out/test/good/*.png             held-out normal images
    out/test/<type>/*.png           held-out normal images with a drawn defect
    out/ground_truth/<type>/*_mask.png
    out/synthesis.json              which source, type and seed each image comes from

No image of ``test`` comes from a source of ``train``. What is drawn depends on the settings and the number of the image
alone, so a run that was killed goes on where it was, and ends with the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from adkit.data import AnomalyDataset, Splits
from adkit.defects.build import build_defects
from adkit.defects.mixture import SyntheticDefects
from adkit.defects.registry import DEFECT_TYPES, known_defects, own_defects_source
from adkit.runtime import atomic_path, generator
from adkit.runtime.atomic import clear_folder
from adkit.runtime.progress import progress
from adkit.runtime.serialization import write_json

DESCRIPTION = "synthesis.json"
# of one image: a type may draw nothing that can be seen, or nothing on the foreground
ATTEMPTS = 20


@dataclass(frozen=True)
class Synthesised:
    """A set that was written.

    Attributes:
        folder: of the set; ``load_dataset("mvtec", root=folder)`` reads it.
        images: type of defect, or ``good`` and ``train``, → number of images.
        fresh: whether it was written now; False where the same set was there already.
    """

    folder: Path
    images: dict[str, int]
    fresh: bool


def synthesise(
    splits: Splits,
    out: str | Path,
    n: int = 200,
    kinds: Sequence[str] | None = None,
    seed: int = 0,
    size: tuple[float, float] = (0.05, 0.3),
    contrast: tuple[float, float] = (0.1, 0.6),
    quiet: bool = False,
) -> Synthesised:
    """Draw defects on held-out normal images, and write them with their masks as a set in MVTec AD layout.

    Args:
        splits: of :func:`adkit.load_dataset`, with whole images; ``train`` is copied, on ``validation`` is drawn.
        out: folder of the set, which must not exist; one that holds the same set already is left as it is.
        n: number of images with a defect, at least 1.
        kinds: names of defect types, your own among them, which take turns; None: all of adkit's.
        seed: integer; another seed draws other defects.
        size: smallest and largest extent of a defect, as a fraction of the image's shorter side.
        contrast: smallest and largest contrast of a defect, in [0, 1].
        quiet: show no progress.

    Raises:
        FileExistsError: if ``out`` holds something else, or a set that was made otherwise.
        ValueError: if a setting is out of its range, a type is unknown, the images are tiles, or a type draws nothing
            that can be seen.

    Example:
        >>> import tempfile
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", category="denim", image_size=(64, 64))
        >>> made = synthesise(splits, Path(tempfile.mkdtemp()) / "drawn", n=4, kinds=["stain", "line"], quiet=True)
        >>> made.images["stain"], load_dataset("mvtec", root=made.folder, category="drawn").test.defect_types
        (2, ['line', 'stain'])
    """
    names = list(DEFECT_TYPES if kinds is None else kinds)
    if not isinstance(n, int) or isinstance(n, bool) or n < 1:
        raise ValueError(f"n must be a positive whole number of images, got {n!r}")
    if splits.train.tile or splits.validation.tile:
        raise ValueError("defects are drawn on whole images, and these are cut into tiles; load them without tile=")
    mixtures = {kind: _mixture(kind, size, contrast) for kind in names}
    told = {
        "n": n, "kinds": names, "seed": seed, "size": list(size), "contrast": list(contrast),
        "images": [splits.train.fingerprint, splits.validation.fingerprint], "own": own_defects_source(names),
    }  # fmt: skip
    key = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
    out = Path(out).expanduser()
    if out.exists():
        return _already(out, key)
    work = out.with_name(f"{out.name}.{key}.unfinished")
    work.mkdir(parents=True, exist_ok=True)
    clear_folder(work)
    rows = _normals(splits.train, work / "train/good", quiet) + _normals(splits.validation, work / "test/good", quiet)
    for number in progress(range(n), "drawing defects", quiet=quiet):
        kind = names[number % len(names)]
        rows.append(_defective(splits.validation, number, kind, mixtures[kind], seed, work))
    counts = {"train": len(splits.train), "good": len(splits.validation)}
    counts |= {kind: len(range(place, n, len(names))) for place, kind in enumerate(names)}
    write_json(work / DESCRIPTION, {"key": key, "settings": told, "counts": counts, "images": rows})
    os.replace(work, out)
    return Synthesised(out, counts, fresh=True)


def _mixture(kind: str, size: tuple[float, float], contrast: tuple[float, float]) -> SyntheticDefects:
    if kind not in known_defects():
        build_defects([kind])  # says which are known
    return build_defects({"defect_types": [kind], "clean": 0.0, "size": tuple(size), "contrast": tuple(contrast)})


def _already(out: Path, key: str) -> Synthesised:
    """The set that is there, if it is the one that was asked for."""
    path = out / DESCRIPTION
    there = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    if there.get("key") != key:
        what = "a set that was made with other settings, or from other images" if there else "no such set"
        raise FileExistsError(f"{out} exists and holds {what}; choose another folder, or remove it")
    return Synthesised(out, there["counts"], fresh=False)


def _normals(dataset: AnomalyDataset, folder: Path, quiet: bool) -> list[dict]:
    """The images of a dataset as PNG files."""
    rows = []
    for number in progress(range(len(dataset)), f"copying to {folder.parent.name}", quiet=quiet):
        path = folder / f"{number:04d}.png"
        if not path.is_file():
            _write(path, _as_file(dataset[number]["image"], _deep(dataset, number)))
        rows.append({"path": "/".join(path.parts[-3:]), "source": _name(dataset, number), "kind": "good"})
    return rows


def _defective(
    dataset: AnomalyDataset, number: int, kind: str, defects: SyntheticDefects, seed: int, root: Path
) -> dict:
    """One image with a defect, and its mask; both appear, or neither counts."""
    place = number % len(dataset)
    image_path, mask_path = (
        root / "test" / kind / f"{number:04d}.png", root / "ground_truth" / kind / f"{number:04d}_mask.png",
    )  # fmt: skip
    row = {"path": f"test/{kind}/{image_path.name}", "source": _name(dataset, place), "kind": kind, "number": number}
    if image_path.is_file():
        return row
    item = dataset[place]
    for attempt in range(ATTEMPTS):
        random = generator(seed, number, attempt)
        seen, mask, _ = defects(item["image"][None], item["foreground"][None], random)
        drawn = _as_file(seen[0], _deep(dataset, place))
        plain = _as_file(item["image"], _deep(dataset, place))
        if mask.any() and (drawn != plain).any():
            break
    else:
        raise ValueError(f"{kind} drew nothing that can be seen in {ATTEMPTS} attempts on {row['source']}")
    _write(mask_path, mask[0].cpu().numpy().astype(np.uint8) * 255)
    _write(image_path, drawn)  # last: where it is, its mask is
    return row


def _name(dataset: AnomalyDataset, number: int) -> str:
    """Name of an image's file, without the folders of one machine."""
    return "/".join(Path(dataset.paths[number]).parts[-2:])


def _deep(dataset: AnomalyDataset, number: int) -> bool:
    """Whether an image is written with 16 bits: a grey one that came with more than 8."""
    return dataset.channels == 1 and dataset.samples[number].header.bits > 8


def _as_file(image: Tensor, deep: bool) -> np.ndarray:
    """(C, H, W) in [0, 1] as the pixels of a file, (H, W) or (H, W, 3)."""
    top, kind = (65535, np.uint16) if deep else (255, np.uint8)
    pixels = np.rint(image.double().cpu().numpy() * top).astype(kind)
    return pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))


def _write(path: Path, pixels: np.ndarray) -> None:
    """Write an image file whole or not at all."""
    with atomic_path(path, durable=False) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")
