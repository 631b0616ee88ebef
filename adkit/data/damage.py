"""Files that cannot be read, found before anything is trained on the others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from adkit.data.listing import name_some
from adkit.data.read import in_threads, read_pixels
from adkit.data.samples import CategorySamples, FileSample
from adkit.data.say import warn

OF_DAMAGED = "the mask of a damaged image"


def without_damaged(categories: Sequence[CategorySamples], damaged: str) -> list[CategorySamples]:
    """Decode every image and mask once; leave out, or refuse, what cannot be read.

    An image whose mask cannot be read stays, without that mask.

    Args:
        categories: as a reader brings them.
        damaged: ``skip`` or ``raise``.

    Raises:
        ValueError: if ``damaged`` is ``raise`` and there are some: it lists them all.

    Warns:
        UserWarning: naming what is left out.
    """
    files = [sample.file for category in categories for sample in category.samples]
    masks = [mask for category in categories for sample in category.samples for mask in sample.masks]
    everything = list(dict.fromkeys([*files, *masks]))
    reasons = in_threads(why_damaged, everything)
    broken = {file: why for file, why in zip(everything, reasons, strict=True) if why}
    if not broken:
        return list(categories)
    if damaged == "raise":
        listed = "\n".join(f"  {why}" for why in broken.values())
        raise ValueError(
            f"{len(broken)} file(s) cannot be read; replace them, remove them or pass damaged='skip':\n{listed}"
        )
    warn(f"{len(broken)} file(s) cannot be read and are left out: {name_some(broken)}")
    return [_without(category, broken) for category in categories]


def why_damaged(file: Path) -> str:
    """Why a file cannot be read; empty if it can.

    Args:
        file: an image or a mask.
    """
    try:
        read_pixels(file)
    except (ValueError, OSError) as error:
        return str(error)
    return ""


def _without(category: CategorySamples, broken: dict[Path, str]) -> CategorySamples:
    of_broken = [mask for sample in category.samples if sample.file in broken for mask in sample.masks]
    category = category.only(lambda sample: sample.file not in broken)
    lost = {mask for sample in category.anomalous for mask in sample.masks if mask in broken}
    if lost:
        category = replace(category, anomalous=[_without_masks(sample, lost) for sample in category.anomalous])
    unused = category.unused | {file: "damaged" for file in broken if _below(file, category)}
    unused |= {mask: OF_DAMAGED for mask in of_broken if mask not in unused}
    return replace(category, unused=unused)


def _without_masks(sample: FileSample, lost: set[Path]) -> FileSample:
    return replace(sample, masks=tuple(mask for mask in sample.masks if mask not in lost))


def _below(file: Path, category: CategorySamples) -> bool:
    return not category.folders or any(folder in file.parents for folder in category.folders)
