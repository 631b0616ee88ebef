"""Which mask belongs to which image, and what to say where that does not come out even."""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from adkit.data.read import in_threads
from adkit.data.samples import FileSample, Pool


def masks_by_stem(files: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Mask files by the name of their image: ``007.png``, ``007_mask.png`` and ``007_mask2.png`` all belong to ``007``.

    Example:
        >>> list(masks_by_stem([Path("7_mask1.png"), Path("7_mask2.png"), Path("8.png")]))
        ['7', '8']
    """
    found = defaultdict(tuple)
    for file in sorted(files):
        found[re.sub(r"_mask\d*$", "", file.stem)] += (file,)
    return dict(found)


def without_image(masks: dict[str, tuple[Path, ...]], images: Iterable[Path]) -> list[Path]:
    """The masks that belong to none of the images."""
    stems = {image.stem for image in images}
    return [file for stem, files in masks.items() if stem not in stems for file in files]


def check_pools(pools: Sequence[Pool]) -> list[Pool]:
    """Read the masks; take empty ones away, and warn of all that is missing or left over.

    Raises:
        ValueError: if a category has no normal image, or a mask another size than its image.
    """
    for pool in pools:
        if not pool.normals:
            raise ValueError(
                f"category {pool.category!r} has no normal images to train on; unsupervised learning needs them"
            )
    masked = [sample for pool in pools for sample in pool.anomalous if sample.masks]
    filled = in_threads(lambda sample: sample.mask().any(), masked)
    empty = {sample.file for sample, any_pixel in zip(masked, filled, strict=True) if not any_pixel}
    _warn_of(pools, empty)
    return [replace(pool, anomalous=[_without_empty(sample, empty) for sample in pool.anomalous]) for pool in pools]


def name_some(files: Iterable[Path], limit: int = 8) -> str:
    """The first few names of a list, and how many more there are."""
    names = [str(Path(*Path(file).parts[-2:])) for file in files]
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _warn_of(pools: Sequence[Pool], empty: set[Path]) -> None:
    orphans = [file for pool in pools for file in pool.orphans]
    anomalous = [sample for pool in pools for sample in pool.anomalous]
    bare = [sample.file for sample in anomalous if not sample.masks]
    kept = "used as anomalous images without a mask: they count for image metrics and stay out of pixel metrics"
    level = 5  # the line that called load_dataset
    if orphans:
        warnings.warn(f"{len(orphans)} mask(s) without an image were left out: {name_some(orphans)}", stacklevel=level)
    if empty:
        names = name_some(sorted(empty))
        warnings.warn(
            f"{len(empty)} image(s) have an empty mask (no pixel above 127), {kept}: {names}", stacklevel=level
        )
    if bare:
        share = f"{len(bare)} of {len(anomalous)} anomalous images have no mask file"
        warnings.warn(f"{share}, {kept}: {name_some(bare)}", stacklevel=level)


def _without_empty(sample: FileSample, empty: set[Path]) -> FileSample:
    return replace(sample, masks=()) if sample.file in empty else sample
