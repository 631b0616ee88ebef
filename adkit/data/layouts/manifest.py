"""A table that names every image: ``path, label, mask, split, source``, and where it is needed ``category``.

``path``
    of the image, relative to the table's folder.
``label``
    0, good, normal or ok: normal; 1: defective; any other text: the type of the defect; empty: withheld, so that the
    image is in no part but in ``splits.unlabelled``.
``mask``
    of the image, several separated by ``|``; empty: none.
``split``
    train, validation or test; empty: as for any other set.
``source``
    what a split does not tear apart, such as the strip or the part that images show; empty: the image itself.

The layout is our own.
"""

import os
from pathlib import Path

from adkit.data.layouts.tables import read_table
from adkit.data.listing import NORMAL_NAMES, TEST, TRAIN, VALIDATION, simple
from adkit.data.samples import NORMAL, UNLABELLED, CategorySamples, FileSample, choose_categories
from adkit.data.say import warn
from adkit.data.tree import DEFECTIVE_PART

COLUMNS = ("path", "label", "mask", "split", "source", "category")
FILE = "manifest.csv"
_SPLITS = {
    "": "",
    **dict.fromkeys(TRAIN, "train"),
    **dict.fromkeys(VALIDATION, "validation"),
    **dict.fromkeys(TEST, "test"),
}


def recognise(root: Path) -> bool:
    """Whether a folder has this layout.

    Args:
        root: must be there.
    """
    return (root / FILE).is_file()


def read_manifest(root: object, category: object = None) -> list[CategorySamples]:
    """The samples that a table names.

    Args:
        root: a CSV file, a folder with ``manifest.csv``, a DataFrame, or a list of dicts; the paths of the latter two
            are relative to the working directory.
        category: a name, a list of names, or None for all.

    Raises:
        FileNotFoundError: if the table, or an image or mask that it names, is missing.
        ValueError: if a column is missing or a value is not understood; it names the row.
    """
    folder, rows = _rows(root)
    if not rows or "path" not in rows[0]:
        columns = ", ".join(rows[0]) if rows else "no rows"
        raise ValueError(f"a manifest needs a column 'path', and may have {', '.join(COLUMNS[1:])}; got {columns}")
    if unknown := [name for name in rows[0] if name not in COLUMNS]:
        warn(f"the columns {', '.join(unknown)} of the manifest are not used; known: {', '.join(COLUMNS)}")
    names = list(dict.fromkeys(row.get("category") or folder.name for row in rows))
    chosen = choose_categories(category, names, "the manifest")
    _check_files(folder, rows)
    categories = {name: CategorySamples(name, [], layout="manifest") for name in chosen}
    for number, row in enumerate(rows, start=1):
        if (name := row.get("category") or folder.name) in categories:
            _add(categories[name], folder, row, number)
    return list(categories.values())


def _rows(root: object) -> tuple[Path, list[dict[str, str]]]:
    if isinstance(root, str | os.PathLike):
        path = Path(root).expanduser()
        path = path / FILE if path.is_dir() else path
        if not path.is_file():
            raise FileNotFoundError(f"no manifest {path}; root must be a CSV file with a column 'path', or a DataFrame")
        return path.absolute().parent, read_table(path)
    records = root.to_dict("records") if hasattr(root, "to_dict") else root
    if not isinstance(records, list) or not all(isinstance(row, dict) for row in records):
        raise ValueError(
            f"root must be a CSV file, a DataFrame or a list of dicts for a manifest, got {type(root).__name__}"
        )
    return Path.cwd(), [{str(name).strip().lower(): _text(value) for name, value in row.items()} for row in records]


def _text(value: object) -> str:
    """A value of a DataFrame as a CSV file holds it; NaN and None stand for nothing, 1.0 for 1."""
    if value is None or value != value:
        return ""
    return str(int(value)) if isinstance(value, bool | float) and value == int(value) else str(value).strip()


def _check_files(folder: Path, rows: list[dict[str, str]]) -> None:
    named = [
        (number, folder / name) for number, row in enumerate(rows, start=1) for name in (row["path"], *_masks(row))
    ]
    if missing := [(number, file) for number, file in named if not file.is_file()]:
        number, file = missing[0]
        raise FileNotFoundError(
            f"row {number} of the manifest names {file}, which is missing ({len(missing)} files are); paths are "
            f"relative to {folder}"
        )
    paths = [row["path"] for row in rows]
    if doubled := sorted({path for path in paths if paths.count(path) > 1}) if len(set(paths)) < len(paths) else []:
        raise ValueError(f"the manifest names {doubled[0]} twice ({len(doubled)} such images); name each image once")


def _masks(row: dict[str, str]) -> list[str]:
    return [name.strip() for name in row.get("mask", "").split("|") if name.strip()]


def _add(category: CategorySamples, folder: Path, row: dict[str, str], number: int) -> None:
    kind, split = _kind(row.get("label")), _SPLITS.get(simple(row.get("split", "")))
    if split is None:
        raise ValueError(
            f"row {number} of the manifest has split {row['split']!r}; expected train, validation, test or nothing"
        )
    masks = tuple(folder / name for name in _masks(row)) if kind not in (NORMAL, UNLABELLED) else ()
    source = row.get("source") or row["path"]
    sample = FileSample(folder / row["path"], category.category, source, kind, masks)
    if kind == UNLABELLED:
        category.unlabelled.append(sample)
    elif kind == NORMAL:
        {"validation": category.validation, "test": category.test_normals}.get(split, category.normals).append(sample)
    elif split in ("train", "validation"):
        category.unused.update(dict.fromkeys((sample.file, *masks), DEFECTIVE_PART))
    else:
        category.anomalous.append(sample)


def _kind(label: str | None) -> str:
    """The kind that a label stands for; without a column of labels all images are normal."""
    if label is None or simple(label) in (*NORMAL_NAMES, "0", "false"):
        return NORMAL
    if not label:
        return UNLABELLED
    return "defect" if label.lower() in ("1", "true") else label
