"""What a set is made of: samples, each one image with what is known about it, before anything is decoded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from adkit.data.read import Header, read_header, read_mask, read_pixels

NORMAL = "good"  # the kind of every normal sample, as in MVTec AD


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
    """

    file: Path
    category: str
    source: str
    kind: str = NORMAL
    masks: tuple[Path, ...] = ()

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
            mask = read_mask(file)
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
    """

    category: str
    normals: list[FileSample]
    test_normals: list[FileSample] = field(default_factory=list)
    anomalous: list[FileSample] = field(default_factory=list)
    orphans: list[Path] = field(default_factory=list)


def choose_categories(wanted: object, available: Sequence[str], where: str) -> list[str]:
    """The categories asked for, each once.

    Args:
        wanted: a name, a list of names, or None for all that there are.
        available: the names that there are.
        where: what they belong to, for the message.

    Raises:
        ValueError: if one is not there.
    """
    names = available if wanted is None else wanted if isinstance(wanted, list | tuple) else [str(wanted)]
    unknown = [name for name in names if name not in available]
    if unknown or not names:
        raise ValueError(
            f"category {unknown or wanted!r} is not in {where}; there are: {', '.join(available) or 'none'}"
        )
    return list(dict.fromkeys(names))


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
