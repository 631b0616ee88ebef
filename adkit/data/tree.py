"""A folder whose folders say what their images are: parts, kinds, masks, in the names that people give them."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from adkit.data.listing import (
    DEFECT_NAMES,
    IMAGE_NAMES,
    TEST,
    TRAIN,
    VALIDATION,
    WITHHELD,
    FolderNames,
    list_folders,
    list_images,
    plain,
    simple,
)
from adkit.data.masks import image_stems, take_masks_out
from adkit.data.read import read_mask
from adkit.data.samples import NORMAL

PARTS = {"train": TRAIN, "validation": VALIDATION, "test": TEST, "unlabelled": WITHHELD}
MASK_OF_NORMAL = "an empty mask of a normal image"
UNSAID = "unsaid"  # kind of a test image until its mask tells
DEFECTIVE_PART = "defective, in a part that is for normal images only"


@dataclass
class TreeImage:
    """An image and what its place says of it.

    Attributes:
        file: of the image.
        kind: type of its defect, ``good`` or ``unlabelled``.
        part: ``train``, ``validation``, ``test`` or ``unlabelled``; empty: wherever a split sends it.
        place: simple names of the folders that it lies in, below its part.
        masks: files of its masks.
    """

    file: Path
    kind: str
    part: str
    place: tuple[str, ...]
    masks: tuple[Path, ...] = ()


@dataclass
class Tree:
    """What lies in a folder.

    Attributes:
        root: the folder.
        names: what the names of folders mean.
        images: all that were found, in order.
        masks: mask files, the part that they lie in, and their place.
        orphans: masks without an image.
        unused: files that are left out, with the reason.
        notes: what was decided on the way.
    """

    root: Path
    names: FolderNames
    images: list[TreeImage] = field(default_factory=list)
    masks: list[tuple[Path, str, tuple[str, ...]]] = field(default_factory=list)
    orphans: list[Path] = field(default_factory=list)
    unused: dict[Path, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def part_of(self, folder: Path) -> str:
        """The part that a folder's name stands for; empty: none."""
        if simple(folder.name) in self.names.normal + self.names.defects:
            return ""
        name = plain(folder.name)
        return next((part for part, known in PARTS.items() if name in known), "")

    def inside(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Images that lie directly in a folder, and its folders; masks are put aside, ``images`` is seen through."""
        loose, folders, all_below = list_images(folder), [], list_folders(folder)
        beside = {simple(below.name) for below in all_below}
        for below in all_below:
            if self.names.is_mask(below.name) or (owner := self._masked_by(below.name, beside)):
                self._put_aside(below, "" if self.names.is_mask(below.name) else owner)
            elif simple(below.name) in IMAGE_NAMES and not self.names.is_normal(below.name):
                more, deeper = self.inside(below)
                loose, folders = loose + more, folders + deeper
            else:
                folders.append(below)
        return loose, folders

    def _masked_by(self, name: str, beside: set[str]) -> str:
        """Which folder beside it holds the images of a folder ``hole_mask`` or ``test_gt``; empty: none."""
        if simple(name) in self.names.normal + self.names.defects:
            return ""
        return next((simple(stem) for stem in image_stems(name)[1:] if simple(stem) in beside), "")

    def take(self, folder: Path, kind: str, part: str) -> None:
        """All images in a folder and below it are of one kind."""
        loose, folders = self.inside(folder)
        self.add(loose, kind, part)
        for below in folders:
            self.take(below, kind, part)

    def add(self, files: Iterable[Path], kind: str, part: str) -> None:
        """Images of one kind; masks that lie beside them are told apart."""
        by_folder = defaultdict(list)
        for file in files:
            by_folder[file.parent].append(file)
        for beside in by_folder.values():
            images, masks = take_masks_out(beside)
            self.images += [TreeImage(file, kind, part, self._place(file), masks.get(file, ())) for file in images]

    def take_kinds(self, folder: Path, part: str) -> None:
        """A folder of defects: of one kind, or, where it is called bad or the like, with a folder for each kind."""
        loose, folders = self.inside(folder)
        self.add(loose, folder.name, part)
        for below in folders:
            if self.names.is_normal(below.name) or self.part_of(below):
                self.leave_out(below, "good images, or a part of a set, in a folder of defects")
            else:
                self.take(below, below.name if plain(folder.name) in DEFECT_NAMES else folder.name, part)

    def leave_out(self, folder: Path, why: str) -> None:
        """The images in a folder are not used."""
        self.unused.update(dict.fromkeys(list_images(folder, below=True), why))

    def give_masks(self) -> None:
        """Hand each mask to its image; images among the normal ones whose mask marks something are no normal ones."""
        by_stem = defaultdict(list)
        for image in self.images:
            by_stem[image.file.stem].append(image)
        for file, part, place in self.masks:
            owners = self._owners(file, part, place, by_stem)
            anomalous = [image for image in owners if image.kind != NORMAL]
            if len(anomalous) > 1:
                raise ValueError(
                    f"mask {file} could belong to several images named {anomalous[0].file.stem}; "
                    "keep the masks in a folder for each kind: masks/<kind>"
                )
            if anomalous or len(owners) == 1:
                owner = (anomalous or owners)[0]
                owner.masks = (*owner.masks, file)
            elif owners or (place and self.names.is_normal(place[-1])):
                self.unused[file] = MASK_OF_NORMAL
            else:
                self.orphans.append(file)
        self._judge_normals()

    def _judge_normals(self) -> None:
        marked = []
        for image in self.images:
            if image.kind not in (NORMAL, UNSAID) or not image.masks:
                continue
            if any(_marks_something(mask) for mask in image.masks):
                marked.append(image)
                image.kind = "defect"
            else:
                image.kind = NORMAL
                self.unused.update(dict.fromkeys(image.masks, MASK_OF_NORMAL))
                image.masks = ()
        for image in marked:
            if image.part in ("train", "validation"):
                self.images.remove(image)
                self.unused.update(dict.fromkeys((image.file, *image.masks), DEFECTIVE_PART))
        if marked:
            count = Counter(image.part in ("train", "validation") for image in marked)
            self.notes.append(
                f"masks mark something in {len(marked)} image(s) among the normal ones: {count[False]} count as "
                f"defective (kind 'defect'), {count[True]} are left out of training and validation"
            )

    def _owners(self, file: Path, part: str, place: tuple[str, ...], by_stem: dict) -> list[TreeImage]:
        """The images that a mask may belong to: by its name and place, or with a folder of its own for each image."""
        for stem in image_stems(file.stem):
            if found := _there(by_stem.get(stem, []), part, place):
                return found
        if place:  # MVTec LOCO: ground_truth/<kind>/<image>/000.png
            return _there(by_stem.get(file.parent.name, []), part, place[:-1])
        return []

    def _put_aside(self, folder: Path, owner: str = "") -> None:
        """A folder of masks, of the images in the folder ``owner`` beside it; empty: of any."""
        for file in list_images(folder, below=True):
            above = folder.parent.relative_to(self.root).parts
            names = [simple(name) for name in (*above, owner, *file.parent.relative_to(folder).parts) if name]
            parts = [part for name in names for part, known in PARTS.items() if plain(name) in known]
            place = tuple(name for name in names if not _says_nothing(name))
            self.masks.append((file, parts[0] if parts else "", place))

    def _place(self, file: Path) -> tuple[str, ...]:
        names = [simple(name) for name in file.parent.relative_to(self.root).parts]
        return tuple(name for name in names if not _says_nothing(name))


def _there(images: list[TreeImage], part: str, place: tuple[str, ...]) -> list[TreeImage]:
    """Those of the images that lie where their mask does; test images come first where the masks lie apart."""
    if part:
        images = [image for image in images if image.part == part]
    if place:
        same = [image for image in images if image.place == place]
        images = same or [
            image for image in images if image.place[-1:] == place[-1:] or simple(image.kind) == place[-1]
        ]
    tested = [image for image in images if image.part == "test"]
    return tested or images


def _says_nothing(name: str) -> bool:
    return name in IMAGE_NAMES or any(plain(name) in known for known in PARTS.values())


def _marks_something(mask: Path) -> bool:
    try:
        return bool(read_mask(mask).any())
    except ValueError:  # damaged: whoever reads it says so
        return False
