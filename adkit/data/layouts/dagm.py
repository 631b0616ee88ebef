"""DAGM 2007: ten artificial textures, each with one type of defect.

As published: ``Class1/Train/0576.PNG`` and ``Class1/Test/0001.PNG``; the masks of the defective ones are
``Class1/Train/Label/0576_label.PNG``, rough ellipses, beside a table ``Labels.txt``. An image is defective where it has
a mask. The training part holds defective images too, for supervised methods: they are left out here, and named.

Source: Wieler and Hahn, "Weakly supervised learning for industrial optical inspection", DAGM symposium 2007.
``Labels.txt`` is not read: its columns could not be verified.
"""

import os
from pathlib import Path

from adkit.data.layouts.labelled import by_label
from adkit.data.listing import list_folders, list_images, simple
from adkit.data.masks import masks_by_stem, without_image
from adkit.data.samples import CategorySamples, choose_categories, require_folder, with_all_of
from adkit.data.tree import DEFECTIVE_PART


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    return bool(_classes(root))


def read_dagm(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each texture; all defects are of one kind, ``defect``.

    Args:
        root: the folder of ``Class1`` to ``Class10``, or of one of them.
        category: ``"Class1"``, which 1 stands for as well, a list, or None for all.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no texture, or not the one asked for.
    """
    root = require_folder(root, "the folder of DAGM 2007, which holds Class1/Train and Class1/Test")
    classes = _classes(root)
    if not classes:
        raise ValueError(f"no textures in {root}: expected Class1/Train, Class1/Train/Label and Class1/Test below it")
    if category is not None:
        wanted = category if isinstance(category, list | tuple) else [category]
        category = [f"Class{name}" if str(name).isdecimal() else name for name in wanted]
    categories = [_read(classes[name]) for name in choose_categories(category, list(classes), str(root))]
    return with_all_of(root, categories, category)


def _classes(root: Path) -> dict[str, Path]:
    def is_class(folder: Path) -> bool:
        parts = _parts(folder)
        return {"train", "test"} <= parts.keys() and any(
            simple(below.name) == "label" for part in parts.values() for below in list_folders(part)
        ) and any(list_images(part) for part in parts.values())  # fmt: skip

    if is_class(root):
        return {root.name: root}
    return {folder.name: folder for folder in list_folders(root) if is_class(folder)}


def _parts(folder: Path) -> dict[str, Path]:
    return {simple(part.name): part for part in list_folders(folder) if simple(part.name) in ("train", "test")}


def _read(folder: Path) -> CategorySamples:
    parts, orphans = {}, []
    for name, part in _parts(folder).items():
        images = list_images(part)
        labels = [mask for below in list_folders(part) if simple(below.name) == "label" for mask in list_images(below)]
        masks = masks_by_stem(labels, images)
        orphans += without_image(masks, images)
        parts[name] = by_label(folder, images, {image: masks[image.stem] for image in images if image.stem in masks})
    train, test = parts["train"], parts["test"]
    left_out = {file: DEFECTIVE_PART for sample in train.defective for file in (sample.file, *sample.masks)}
    return CategorySamples(
        folder.name,
        train.normal,
        test.normal,
        test.defective,
        orphans,
        unused=train.unused | test.unused | left_out,
        folders=(folder,),
        layout="DAGM 2007",
    )
