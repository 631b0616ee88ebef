"""Which mask belongs to which image, and what to say where that does not come out even."""

import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from adkit.data.read import in_threads
from adkit.data.samples import CategorySamples, FileSample


def masks_by_stem(files: Iterable[Path]) -> dict[str, tuple[Path, ...]]:
    """Mask files by the name of their image: ``007.png``, ``007_mask.png`` and ``007_mask2.png`` all belong to ``007``.

    Args:
        files: mask files, in any order.

    Returns:
        Name of the image without its suffix → its masks, sorted.

    Example:
        >>> list(masks_by_stem([Path("7_mask1.png"), Path("7_mask2.png"), Path("8.png")]))
        ['7', '8']
    """
    masks = defaultdict(tuple)
    for file in sorted(files):
        masks[re.sub(r"_mask\d*$", "", file.stem)] += (file,)
    return dict(masks)


def without_image(masks: dict[str, tuple[Path, ...]], images: Iterable[Path]) -> list[Path]:
    """The masks that belong to none of the images.

    Args:
        masks: as of :func:`masks_by_stem`.
        images: image files.
    """
    stems = {image.stem for image in images}
    return [file for stem, files in masks.items() if stem not in stems for file in files]


def check_categories(categories: Sequence[CategorySamples]) -> list[CategorySamples]:
    """Read the masks; take empty ones away, and warn of all that is missing or left over.

    Args:
        categories: as a reader brings them.

    Returns:
        The same without empty masks.

    Raises:
        ValueError: if a category has no normal image, or a mask another size than its image.
    """
    for category in categories:
        if not category.normals:
            raise ValueError(
                f"category {category.category!r} has no normal images to train on; unsupervised learning needs them"
            )
    masked = [sample for category in categories for sample in category.anomalous if sample.masks]
    has_pixels = in_threads(lambda sample: sample.mask().any(), masked)
    empty = {sample.file for sample, any_pixel in zip(masked, has_pixels, strict=True) if not any_pixel}
    _warn_of(categories, empty)
    return [
        replace(category, anomalous=[_without_empty(sample, empty) for sample in category.anomalous])
        for category in categories
    ]


def name_some(files: Iterable[Path], limit: int = 8) -> str:
    """The first few names of a list, and how many more there are.

    Args:
        files: paths, of which the last two parts are named.
        limit: names at most.
    """
    names = [str(Path(*Path(file).parts[-2:])) for file in files]
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _warn_of(categories: Sequence[CategorySamples], empty: set[Path]) -> None:
    orphans = [file for category in categories for file in category.orphans]
    anomalous = [sample for category in categories for sample in category.anomalous]
    unmasked = [sample.file for sample in anomalous if not sample.masks]
    consequence = "used as anomalous images without a mask: they count for image metrics and stay out of pixel metrics"
    level = 5  # the line that called load_dataset
    if orphans:
        warnings.warn(f"{len(orphans)} mask(s) without an image were left out: {name_some(orphans)}", stacklevel=level)
    if empty:
        names = name_some(sorted(empty))
        warnings.warn(
            f"{len(empty)} image(s) have an empty mask (no pixel above 127), {consequence}: {names}", stacklevel=level
        )
    if unmasked:
        share = f"{len(unmasked)} of {len(anomalous)} anomalous images have no mask file"
        warnings.warn(f"{share}, {consequence}: {name_some(unmasked)}", stacklevel=level)


def _without_empty(sample: FileSample, empty: set[Path]) -> FileSample:
    return replace(sample, masks=()) if sample.file in empty else sample
