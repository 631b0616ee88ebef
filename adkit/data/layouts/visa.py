"""VisA: twelve objects, as downloaded.

As published: ``<object>/Data/Images/Normal/0000.JPG``, ``<object>/Data/Images/Anomaly/000.JPG``,
``<object>/Data/Masks/Anomaly/000.png``, ``<object>/image_anno.csv`` (image, label, mask; the label names the defects of
an image, separated by commas) and ``split_csv/1cls.csv`` (object, split, label, image, mask), which says what trains
and what tests. The values of a mask are numbers of classes, so that it looks black. Without ``split_csv`` the normals
are split as those of any other folder. What the authors' script makes of it, ``visa_pytorch/1cls``, has MVTec AD's
layout.

Source: Zou et al., "SPot-the-Difference self-supervised pre-training for anomaly detection and segmentation", ECCV
2022.
"""

import os
from pathlib import Path

from adkit.data.layouts.tables import read_table
from adkit.data.listing import list_folders, list_images
from adkit.data.masks import masks_by_stem, without_image
from adkit.data.samples import NORMAL, CategorySamples, FileSample, choose_categories, require_folder, with_all_of


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there: the set's folder, an object's, or ``Data`` or ``Images`` in it.
    """
    return bool(_objects(root))


def read_visa(root: str | os.PathLike | None, category: object = None) -> list[CategorySamples]:
    """The samples of each object; a kind of defect is named as in ``image_anno.csv``, ``anomaly`` where there is none.

    Args:
        root: the set's folder, or that of an object.
        category: an object, a list of objects, or None for all.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if it holds no object, or not the one asked for.
    """
    root = require_folder(root, "the folder of VisA, which holds <object>/Data/Images/Normal")
    objects = _objects(root)
    if not objects:
        raise ValueError(f"no object in {root}: expected <object>/Data/Images/Normal and Anomaly below it")
    categories = [_read(objects[name]) for name in choose_categories(category, list(objects), str(root))]
    return with_all_of(root, categories, category) if len(categories) > 1 else categories


def _objects(root: Path) -> dict[str, Path]:
    """Folders of objects by their name."""
    for folder in (root, root.parent, root.parent.parent):
        if root in (folder, folder / "Data", folder / "Data" / "Images") and _is_object(folder):
            return {folder.name: folder}
    return {folder.name: folder for folder in list_folders(root) if _is_object(folder)}


def _is_object(folder: Path) -> bool:
    return (folder / "Data" / "Images" / "Normal").is_dir()


def _read(folder: Path) -> CategorySamples:
    images = folder / "Data" / "Images"
    anomalous = list_images(images / "Anomaly") if (images / "Anomaly").is_dir() else []
    masks_folder = folder / "Data" / "Masks" / "Anomaly"
    masks = masks_by_stem(list_images(masks_folder) if masks_folder.is_dir() else [], anomalous)
    kinds, tested = _kinds(folder), _split(folder)
    normal = [_sample(folder, file) for file in list_images(images / "Normal")]
    defects = [_sample(folder, file, kinds.get(file.name, "anomaly"), masks.get(file.stem, ())) for file in anomalous]
    trained = {file for file, part in tested.items() if part == "train"}
    unused = {sample.file: "defective, in the training part" for sample in defects if sample.file in trained}
    return CategorySamples(
        folder.name,
        normals=[sample for sample in normal if tested.get(sample.file) != "test"],
        test_normals=[sample for sample in normal if tested.get(sample.file) == "test"],
        anomalous=[sample for sample in defects if sample.file not in unused],
        orphans=without_image(masks, anomalous),
        unused=unused,
        folders=(folder,),
        layout="VisA (split_csv)" if tested else "VisA (folders)",
    )


def _sample(folder: Path, file: Path, kind: str = NORMAL, masks: tuple[Path, ...] = ()) -> FileSample:
    return FileSample(file, folder.name, f"{folder.name}/{file.relative_to(folder).as_posix()}", kind, masks)


def _kinds(folder: Path) -> dict[str, str]:
    """The defects of an image, by its name."""
    table = folder / "image_anno.csv"
    rows = read_table(table) if table.is_file() else []
    named = {
        Path(row.get("image", "")).name: row.get("label", "")
        for row in rows
        if "anomaly" in row.get("image", "").lower()
    }
    return {name: label for name, label in named.items() if label and label.lower() != "normal"}


def _split(folder: Path) -> dict[Path, str]:
    """The part of each image, ``train`` or ``test``; empty if nothing says it."""
    table = folder.parent / "split_csv" / "1cls.csv"
    rows = read_table(table) if table.is_file() else []
    return {folder.parent / row["image"]: row["split"] for row in rows if row.get("object") == folder.name}
