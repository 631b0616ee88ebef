"""What a set is made of: samples, each one image with what is known about it, before anything is decoded."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from adkit.data.read import Header, read_header, read_mask_values, read_pixels

NORMAL = "good"  # the kind of every normal sample, as in MVTec AD
UNLABELLED = "unlabelled"  # the kind of samples whose label a set withholds


class Sample(Protocol):
    """One image of a set.

    Attributes:
        path: of the file, or a name where there is none.
        category: name of its category.
        kind: type of its defect, or ``good``.
        source: what a split must not tear apart, such as the strip that the image was cut from.
        has_mask: True for normals too, whose mask is empty.
        header: size, channels and bits, known without decoding.
        nbytes: length of the file, 0 where there is none; files of different length cannot hold the same image.
    """

    path: str
    category: str
    kind: str
    source: str
    has_mask: bool
    header: Header
    nbytes: int

    def read(self) -> np.ndarray:
        """Pixels (C, H, W): uint8, uint16, or float32 in [0, 1] where the header says 16 bits."""

    def mask(self) -> np.ndarray:
        """Mask, bool (H, W), at the image's own size; called for anomalous samples that have one."""

    def digests(self) -> tuple[str, ...]:
        """Hashes of the image and of its masks, in that order."""


@dataclass(frozen=True)
class FileSample:
    """An image on disk; several masks of one image are united.

    Args:
        file: the image.
        category: name of its category.
        source: what a split must not tear apart, such as the strip that the image was cut from.
        kind: type of its defect, or ``good``.
        masks: files of its masks.

    Attributes:
        mask_rules: how the values of each mask that was read were taken, see :mod:`adkit.data.mask_values`.
    """

    file: Path
    category: str
    source: str
    kind: str = NORMAL
    masks: tuple[Path, ...] = ()
    mask_rules: dict[Path, str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def path(self) -> str:
        """Path of the image file."""
        return str(self.file)

    @property
    def has_mask(self) -> bool:
        """True for normals, whose mask is empty, and where mask files were found."""
        return self.kind == NORMAL or bool(self.masks)

    @cached_property
    def header(self) -> Header:
        """Size, channels and bits."""
        return read_header(self.file)

    @property
    def nbytes(self) -> int:
        """Length of the file."""
        return self.file.stat().st_size

    def read(self) -> np.ndarray:
        """Decode the image: uint8 or uint16 (C, H, W)."""
        return read_pixels(self.file)

    def mask(self) -> np.ndarray:
        """The union of the masks, bool (H, W); read once and kept in one bit a pixel.

        Raises:
            ValueError: if a mask has another size than the image.
        """
        height, width = self.header.size
        return np.unpackbits(self._packed_mask, count=height * width).reshape(height, width).view(bool)

    @cached_property
    def _packed_mask(self) -> np.ndarray:
        union = np.zeros(self.header.size, bool)
        for file in self.masks:
            mask, rule = read_mask_values(file, expected=union.size)
            self.mask_rules[file] = rule
            if mask.shape != union.shape:
                raise ValueError(
                    f"mask {file} is {_size(mask.shape)}, but its image {self.file} is {_size(union.shape)}; "
                    "export the mask at the image's own size"
                )
            union |= mask
        return np.packbits(union)

    def digests(self) -> tuple[str, ...]:
        """Hashes of the files' content."""
        return self._digests

    @cached_property
    def _digests(self) -> tuple[str, ...]:
        return tuple(
            hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest() for file in (self.file, *self.masks)
        )


@dataclass(frozen=True)
class CategorySamples:
    """What a set brings for one category, before it is split.

    Attributes:
        category: name of the category.
        normals: samples to split into train, validation and (where ``test_normals`` is empty) test.
        test_normals: normals that the set itself keeps for the test.
        anomalous: all go to the test.
        orphans: mask files without an image.
        validation: normals that the set itself keeps for the validation.
        unlabelled: images whose labels the set withholds; they are in no part.
        unused: files that were seen and are not used, with the reason.
        folders: every file in them belongs to the category: what is not read there is named.
        layout: name of the layout that it was read by.
        notes: what was decided on the way, for the summary.
    """

    category: str
    normals: list[FileSample]
    test_normals: list[FileSample] = field(default_factory=list)
    anomalous: list[FileSample] = field(default_factory=list)
    orphans: list[Path] = field(default_factory=list)
    validation: list[FileSample] = field(default_factory=list)
    unlabelled: list[FileSample] = field(default_factory=list)
    unused: dict[Path, str] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    layout: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def samples(self) -> list[FileSample]:
        """All samples, those without a label as well."""
        return [*self.normals, *self.validation, *self.test_normals, *self.anomalous, *self.unlabelled]

    @property
    def files(self) -> set[Path]:
        """All files that were read or can be accounted for: images, masks, those without an image, those left out."""
        masks = {mask for sample in self.samples for mask in sample.masks}
        return {sample.file for sample in self.samples} | masks | set(self.orphans) | set(self.unused)

    def only(self, keep: Callable[[FileSample], bool]) -> "CategorySamples":
        """The same with some of its samples.

        Args:
            keep: whether a sample stays.
        """
        lists = ("normals", "test_normals", "anomalous", "validation", "unlabelled")
        return replace(self, **{name: [sample for sample in getattr(self, name) if keep(sample)] for name in lists})


def with_all_of(root: Path, categories: list[CategorySamples], wanted: object) -> list[CategorySamples]:
    """Categories that share a folder account for all that lies in it, where all of them were asked for.

    Args:
        root: the folder that they lie in.
        categories: of a set.
        wanted: what was asked for; None: all.

    Returns:
        The same; where all were asked for, the first one answers for the whole folder.
    """
    if wanted is not None or not categories:
        return categories
    return [replace(category, folders=(root,) if k == 0 else ()) for k, category in enumerate(categories)]


def choose_categories(wanted: object, available: Sequence[str], where: str) -> list[str]:
    """The categories asked for, each once.

    A number stands for the one name that has its value: 1 for ``01``, as papermill hands it over.

    Args:
        wanted: a name, a list of names, or None for all that there are.
        available: the names that there are.
        where: what they belong to, for the message.

    Raises:
        ValueError: if one is not there.
    """
    names = available if wanted is None else wanted if isinstance(wanted, list | tuple) else [wanted]
    names = [_name_of(name, available) for name in names]
    unknown = [name for name in names if name not in available]
    if unknown or not names:
        raise ValueError(
            f"category {unknown or wanted!r} is not in {where}; there are: {', '.join(available) or 'none'}"
        )
    return list(dict.fromkeys(names))


def _name_of(wanted: object, available: Sequence[str]) -> str:
    name = str(wanted)
    if name in available or not name.isdecimal():
        return name
    equal = [other for other in available if other.isdecimal() and int(other) == int(name)]
    return equal[0] if len(equal) == 1 else name


def require_folder(root: object, what: str) -> Path:
    """The folder as a path.

    Args:
        root: a path; ``~`` stands for the home folder.
        what: what it should be, for the message.

    Raises:
        ValueError: if no root was given.
        FileNotFoundError: if it is not there.
    """
    if root is None:
        raise ValueError(f"root is missing: pass root=, {what}")
    root = Path(root).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(f"no folder {root}; root must be {what}")
    return root


def _size(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]} pixels (height x width)"
