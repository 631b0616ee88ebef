"""Which mask belongs to which image, and what to say where that does not come out even."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from adkit.data.formats import SUFFIXES
from adkit.data.listing import DEFECT_NAMES, FolderNames, list_files, list_images, name_some, plain
from adkit.data.read import in_threads, read_header, read_mask_values
from adkit.data.samples import CategorySamples, FileSample
from adkit.data.say import warn

_WORDS = r"(?:masks?|gt|labels?|seg|segmentation|ground[\s_-]?truth|annotation|anno)"
_BEHIND = re.compile(rf"[\s_.\-]+(?:{_WORDS}|m)[\s_\-]*\d*$", re.IGNORECASE)
_BEFORE = re.compile(rf"^{_WORDS}[\s_.\-]+", re.IGNORECASE)
EMPTY = "an empty mask of a defective image"
MOST = 0.5  # a mask that marks more than that of its image may be inverted


def image_stems(stem: str) -> list[str]:
    """The names that the image of a mask may have, the likeliest first.

    Args:
        stem: name of the mask without its suffix.

    Example:
        >>> image_stems("007_mask2"), image_stems("007.png-GT"), image_stems("mask_007")
        (['007_mask2', '007'], ['007.png-GT', '007.png', '007'], ['mask_007', '007'])
    """
    names = [stem, _BEHIND.sub("", stem), _BEFORE.sub("", stem)]
    names += [Path(name).stem for name in names[1:] if Path(name).suffix.lower() in SUFFIXES]
    return [name for name in dict.fromkeys(names) if name]


def masks_by_stem(files: Iterable[Path], images: Iterable[Path] = ()) -> dict[str, tuple[Path, ...]]:
    """Mask files by the name of their image: ``007.png``, ``007_mask.png`` and ``007_GT2.png`` all belong to ``007``.

    Args:
        files: mask files, in any order.
        images: image files; one that is called ``007_mask`` itself gets the mask of that name.

    Returns:
        Name of the image without its suffix → its masks, sorted.

    Example:
        >>> list(masks_by_stem([Path("7_mask1.png"), Path("7_mask2.png"), Path("8.png")]))
        ['7', '8']
    """
    stems, masks = {image.stem for image in images}, {}
    for file in sorted(files):
        names = image_stems(file.stem)
        owner = next((name for name in names if name in stems), names[min(1, len(names) - 1)])
        masks[owner] = (*masks.get(owner, ()), file)
    return masks


def without_image(masks: dict[str, tuple[Path, ...]], images: Iterable[Path]) -> list[Path]:
    """The masks that belong to none of the images.

    Args:
        masks: as of :func:`masks_by_stem`.
        images: image files.
    """
    stems = {image.stem for image in images}
    return [file for stem, files in masks.items() if stem not in stems for file in files]


def take_masks_out(files: Sequence[Path]) -> tuple[list[Path], dict[Path, tuple[Path, ...]]]:
    """Images and masks that lie side by side, told apart by their names: ``007.png`` and ``007_GT.png``.

    Of two files that differ in their suffix alone, ``007.jpg`` and ``007.png``, the second is a mask if it looks like
    one: lossless, without colours, and of two values at most.

    Args:
        files: image files of one folder, sorted.

    Returns:
        The images, and the masks of those that have some.
    """
    by_stem: dict[str, list[Path]] = {}
    for file in files:
        by_stem.setdefault(file.stem, []).append(file)
    masks: dict[Path, tuple[Path, ...]] = {}
    owners: dict[Path, Path] = {}
    for file in files:
        owner = next((by_stem[name][0] for name in image_stems(file.stem)[1:] if name in by_stem), None)
        twins = [other for other in by_stem[file.stem] if other != file]
        if owner is None and twins and _looks_like_a_mask(file) and not all(map(_looks_like_a_mask, twins)):
            owner = twins[0]
        if owner is not None:
            owners[file] = owner
    for file, owner in owners.items():
        if owner not in owners:
            masks[owner] = (*masks.get(owner, ()), file)
    return [file for file in files if file not in owners or owners[file] in owners], masks


def masks_among(files: Sequence[Path], root: Path) -> dict[Path, Path]:
    """The masks in a folder of images that nobody has sorted → the image of each.

    A mask lies beside its image, see :func:`take_masks_out`, or under a name that belongs to an image of another
    folder, in one that is called ``masks``, ``ground_truth`` or the like.

    Args:
        files: image files in a folder and below it, sorted.
        root: the folder; its own name says nothing.
    """
    names, by_folder = FolderNames(), {}
    for file in files:
        by_folder.setdefault(file.parent, []).append(file)
    apart = {
        folder for folder in by_folder if any(names.is_mask(part) for part in folder.relative_to(root).parts)
    }  # fmt: skip
    images, found = {}, {}
    for folder in by_folder.keys() - apart:
        taken, masks = take_masks_out(by_folder[folder])
        images |= {image.stem: image for image in taken}
        found |= {file: image for image, own in masks.items() for file in own}
    for file in (file for folder in apart for file in by_folder[folder]):
        if owner := next(
            (images[stem] for stem in (*image_stems(file.stem), file.parent.name) if stem in images), None
        ):
            found[file] = owner
    return found


def check_categories(categories: Sequence[CategorySamples]) -> list[CategorySamples]:
    """Read the masks; take empty ones away, and warn of all that is missing, left over or doubtful.

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
                f"{_where_they_may_be(category)}"
            )
    masked = [sample for category in categories for sample in category.anomalous if sample.masks]
    shares = in_threads(lambda sample: float(sample.mask().mean()), masked)
    empty = {sample.file for sample, share in zip(masked, shares, strict=True) if share == 0}
    _warn_of(categories, empty)
    _warn_of_values(masked, shares)
    return [
        replace(
            category,
            anomalous=[_without_empty(sample, empty) for sample in category.anomalous],
            unused=category.unused
            | {mask: EMPTY for sample in category.anomalous if sample.file in empty for mask in sample.masks},
        )
        for category in categories
    ]


def _where_they_may_be(category: CategorySamples) -> str:
    """What to do about a set without normal images: what its folders are called, and how to say which is normal."""
    found = Counter(file.parent for root in category.folders for file in list_images(root, below=True))
    names, others = FolderNames(), [file for root in category.folders for file in list_files(root)]
    for root in category.folders:
        for folder in (folder for folder in found if folder != root and folder.parent != root):
            if names.is_normal(folder.name):
                return f"; some seem to lie in {folder}: pass root={str(folder.parent)!r}"
    unread = [file for file in others if file.suffix.lower() not in SUFFIXES]
    unread = [file for file in unread if not found or names.is_normal(file.parent.name)]
    if unread:
        some = ", ".join(
            f"{n} {suffix}" for suffix, n in Counter(file.suffix.lower() for file in unread).most_common(3)
        )
        return f"; no file in {unread[0].parent} has a suffix that is read ({', '.join(SUFFIXES)}), but {some}"
    told = ", ".join(f"{folder.name}: {count}" for folder, count in list(found.items())[:8])
    if not found:
        return ""
    possible = [folder.name for folder in found if plain(folder.name) not in DEFECT_NAMES]
    say = f"; say which is normal, as in normal={possible[0]!r}" if possible else ""
    return f"; its folders of images ({told}) have no name such as good, normal or ok{say}"


def mask_rules(samples: Iterable[FileSample]) -> Counter:
    """How the values of the masks that were read were taken → how many files.

    Args:
        samples: whose masks were read.
    """
    return Counter(rule for sample in samples for rule in sample.mask_rules.values())


def _warn_of(categories: Sequence[CategorySamples], empty: set[Path]) -> None:
    orphans = [file for category in categories for file in category.orphans]
    anomalous = [sample for category in categories for sample in category.anomalous]
    unmasked = [sample.file for sample in anomalous if not sample.masks]
    consequence = "used as anomalous images without a mask: they count for image metrics and stay out of pixel metrics"
    if orphans:
        warn(f"{len(orphans)} mask(s) without an image were left out: {name_some(orphans)}")
    if empty:
        warn(
            f"{len(empty)} image(s) have an empty mask (no pixel is marked), {consequence}: {name_some(sorted(empty))}"
        )
    if unmasked:
        share = f"{len(unmasked)} of {len(anomalous)} anomalous images have no mask file"
        warn(f"{share}, {consequence}: {name_some(unmasked)}")


def _warn_of_values(masked: Sequence[FileSample], shares: Sequence[float]) -> None:
    much = [sample.file for sample, share in zip(masked, shares, strict=True) if share > MOST]
    if much:
        warn(
            f"the masks of {len(much)} image(s) mark more than half of the image; if white means good there, invert "
            f"the masks: {name_some(much)}"
        )
    lossy = [mask for sample in masked for mask, rule in sample.mask_rules.items() if "loss" in rule]
    if lossy:
        warn(
            f"{len(lossy)} mask(s) hold class numbers in a JPEG file, which compression changes; save them as PNG: "
            f"{name_some(lossy)}"
        )


def _without_empty(sample: FileSample, empty: set[Path]) -> FileSample:
    return replace(sample, masks=()) if sample.file in empty else sample


def _looks_like_a_mask(file: Path) -> bool:
    if file.suffix.lower() in (".jpg", ".jpeg", ".jpe", ".jfif"):
        return False
    try:
        return read_header(file).bits == 8 and _two_values(file)
    except ValueError:
        return False


def _two_values(file: Path) -> bool:
    values = read_mask_values(file)
    return values.rule == "black" or values.rule.startswith("label map")
