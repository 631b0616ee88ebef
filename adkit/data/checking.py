"""What lies in a folder, before anything is trained on it: what is read and how, what is not, what is wrong."""

import os
import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from adkit.data.bit_depth import bits_used
from adkit.data.check_report import Report, Row
from adkit.data.damage import OF_DAMAGED, why_damaged
from adkit.data.found import Found
from adkit.data.listing import FolderNames, list_files, name_some
from adkit.data.load import READERS, function_of
from adkit.data.masks import check_categories
from adkit.data.near_duplicates import Look, look_of, near_duplicates
from adkit.data.read import in_threads, read_header, read_pixels
from adkit.data.samples import NORMAL, CategorySamples, FileSample
from adkit.data.splits import split_category

DECODED = 2000  # images at most, evenly drawn
FEW = 20  # normals that a threshold needs at least
PARTS = ("train", "validation", "test")


def check(
    root: object,
    name: str = "folder",
    category: object = None,
    *,
    normal: object = None,
    defects: object = None,
    seed: int = 0,
    decode: int = DECODED,
) -> Report:
    """Look through a set of images and say what was found; nothing is changed, and nothing is raised for what is wrong.

    All heads of files are read. Pixels are decoded of some images at most: for damage, images of one colour, and images
    that are nearly the same in two parts.

    Args:
        root: the folder, or a manifest, as of :func:`adkit.data.load_dataset`.
        name: of a layout; ``folder`` recognises it.
        category: a name, a list of names, or None for all.
        normal: names of the folders of normal images, for ``folder``.
        defects: names of the folders of defects, for ``folder``.
        seed: of the split that parts are told by.
        decode: how many images are decoded, evenly drawn; 0: none.

    Returns:
        A report, which ``print`` shows as a table with what to do below it.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if there is no such layout.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> root = Path(tempfile.mkdtemp()) / "screws"
        >>> root.mkdir()
        >>> for k in range(12):
        ...     Image.effect_noise((32, 24), 20 + k).save(root / f"{k:03d}.png")
        >>> report = check(root)
        >>> report.layout, len(report.rows), report.rows[0].images
        ('folder', 3, 6)
    """
    if name not in READERS:
        raise ValueError(f"unknown layout {name!r}; known: {', '.join(READERS)}")
    if isinstance(root, str | os.PathLike) and not Path(root).expanduser().exists():
        raise FileNotFoundError(f"no folder {root}; pass the one that your images lie in")
    names = FolderNames.of(normal, defects)
    problems: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            arguments = (root, category, names) if name == "folder" else (root, category)
            categories = function_of(name)(*arguments)
        except (ValueError, OSError) as error:
            return Report(str(root), "none", [], [str(error)], unread=_by_folder(root))
        report = _look(str(root), categories, seed, decode, problems)
    report.problems[:0] = [str(warning.message) for warning in caught]
    return report


def _look(root: str, categories: Sequence[CategorySamples], seed: int, decode: int, problems: list[str]) -> Report:
    samples = [sample for category in categories for sample in category.samples]
    heads = dict(zip((sample.file for sample in samples), in_threads(_head, samples), strict=True))
    damaged = {file: head for file, head in heads.items() if isinstance(head, str)}
    whole = [sample for sample in samples if sample.file not in damaged]
    looks, plain = {}, []
    drawn = [whole[k] for k in np.unique(np.linspace(0, len(whole) - 1, min(decode, len(whole))).astype(int))]
    for sample, seen in zip(drawn, in_threads(_seen, drawn), strict=True):
        if isinstance(seen, str):
            damaged[sample.file] = seen
        else:
            looks[sample.file], one_colour = seen
            plain += [sample.file] * one_colour
    broken_masks = _broken_masks(whole)
    damaged |= broken_masks
    clean = [_clean(category, damaged) for category in categories]
    parts = _parts(clean, seed, problems)
    bits = _bits(whole, damaged)
    try:
        clean = check_categories(clean)
        found = Found.of(clean, bits)
        found.warn()
    except (ValueError, OSError) as error:
        problems.append(str(error))
        found = Found.of(clean, bits)
    _name_problems(problems, damaged, plain, parts, looks)
    notes = [] if len(drawn) == len(whole) else [f"{len(drawn)} of {len(whole)} images were decoded: check(decode=...)"]
    rows = _rows(clean, parts, heads, bits)
    return Report(root, found.layout, rows, problems, found=found, damaged=damaged, plain=plain, notes=notes)


def _head(sample: FileSample) -> tuple | str:
    """Size, mode, bits of a file; or why it cannot be read."""
    try:
        header = read_header(sample.file)
    except (ValueError, OSError) as error:
        return str(error)
    return header.size, "grey" if header.channels == 1 else "colour", header.bits


def _seen(sample: FileSample) -> tuple[Look, bool] | str:
    """Its look, and whether the image has one colour; or why it cannot be read."""
    try:
        pixels = read_pixels(sample.file)
    except (ValueError, OSError) as error:
        return str(error)
    return look_of(pixels, 16 if pixels.dtype == np.uint16 else 8), bool(
        all(channel.min() == channel.max() for channel in pixels)
    )


def _broken_masks(samples: Sequence[FileSample]) -> dict[Path, str]:
    masks = list(dict.fromkeys(mask for sample in samples for mask in sample.masks))
    return {mask: why for mask, why in zip(masks, in_threads(why_damaged, masks), strict=True) if why}


def _clean(category: CategorySamples, damaged: dict[Path, str]) -> CategorySamples:
    """Without what cannot be read, which is named for itself."""
    kept = category.only(lambda sample: sample.file not in damaged)
    anomalous = [
        replace(sample, masks=tuple(mask for mask in sample.masks if mask not in damaged)) for sample in kept.anomalous
    ]
    of_damaged = {mask for sample in category.samples if sample.file in damaged for mask in sample.masks}
    unused = kept.unused | dict.fromkeys(of_damaged, OF_DAMAGED) | dict.fromkeys(damaged, "damaged")
    return replace(kept, anomalous=anomalous, unused=unused)


def _parts(categories: Sequence[CategorySamples], seed: int, problems: list[str]) -> dict[str, list[FileSample]]:
    """Samples of each part; of a category that is too small to split, all by what they are."""
    parts: dict[str, list[FileSample]] = {part: [] for part in PARTS}
    for category in categories:
        try:
            shares = split_category(category, seed)
        except ValueError as error:
            problems.append(str(error))
            shares = (category.normals, category.validation, category.test_normals + category.anomalous)
        for part, share in zip(PARTS, shares, strict=True):
            parts[part] += share
    return parts


def _bits(samples: Sequence[FileSample], damaged: dict[Path, str]) -> int | None:
    readable = [sample for sample in samples if sample.file not in damaged]
    try:
        return bits_used(readable)
    except ValueError:  # one that was not drawn for decoding
        return None


def _name_problems(
    problems: list[str],
    damaged: dict[Path, str],
    plain: list[Path],
    parts: dict[str, list[FileSample]],
    looks: dict[Path, Look],
) -> None:
    if damaged:
        problems.append(
            f"{len(damaged)} file(s) cannot be read: {name_some(damaged)}; replace them, or load with damaged='skip'"
        )
    if plain:
        problems.append(f"{len(plain)} image(s) have one colour: {name_some(plain)}; a lens cap, or a failed export?")
    by_part = {part: [sample.file for sample in samples if sample.file in looks] for part, samples in parts.items()}
    pairs = near_duplicates(by_part, looks)
    if pairs:
        named = "; ".join(f"{first.name} = {second.name}" for first, second in pairs[:5])
        problems.append(
            f"{len(pairs)} pair(s) of images in two parts are the same or nearly: {named}; scores come out too good: "
            "keep one of each, or give both one source in a manifest"
        )
    normals = len(parts["train"]) + len(parts["validation"])
    if 0 < normals < FEW:
        problems.append(
            f"{normals} normal images to learn from: a threshold from so few is a guess; take more, 20 at least"
        )


def _rows(
    categories: Sequence[CategorySamples],
    parts: dict[str, list[FileSample]],
    heads: dict[Path, tuple],
    bits: int | None,
) -> list[Row]:
    groups: dict[tuple[str, str, str], list[FileSample]] = defaultdict(list)
    unlabelled = {"unlabelled": [sample for category in categories for sample in category.unlabelled]}
    for part, samples in (parts | unlabelled).items():
        for sample in samples:
            groups[sample.category, part, sample.kind].append(sample)
    rows = []
    for (category, part, kind), samples in groups.items():
        sizes, modes, depths = (Counter(heads[sample.file][k] for sample in samples) for k in range(3))
        masked = sum(bool(sample.masks) for sample in samples)
        masks = "" if kind == NORMAL else f"{masked} of {len(samples)}"
        used = [f"{bits} of 16" if depth == 16 and bits not in (None, 16) else str(depth) for depth in sorted(depths)]
        rows.append(Row(category, part, kind, len(samples), _sizes(sizes), _list(modes), ", ".join(used), masks))
    order = {part: k for k, part in enumerate((*PARTS, "unlabelled"))}
    return sorted(rows, key=lambda row: (row.category, order[row.part], row.kind != NORMAL, row.kind))


def _sizes(sizes: Counter) -> str:
    if len(sizes) == 1:
        ((height, width),) = sizes
        return f"{height} x {width}"
    heights, widths = zip(*sizes, strict=True)
    return f"{len(sizes)} sizes, {min(heights)} x {min(widths)} to {max(heights)} x {max(widths)}"


def _list(modes: Counter) -> str:
    return next(iter(modes)) if len(modes) == 1 else ", ".join(f"{count} {mode}" for mode, count in modes.items())


def _by_folder(root: object) -> Counter:
    """Files of a folder that is no set, by folder and suffix."""
    path = Path(root).expanduser() if isinstance(root, str | os.PathLike) else None
    if path is None or not path.is_dir():
        return Counter()
    return Counter(
        f"{file.parent.relative_to(path).as_posix()}/*{file.suffix.lower()}" for file in sorted(list_files(path))
    )
