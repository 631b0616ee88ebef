"""Any folder of images: normals only, or with folders of anomalous kinds beside them, masks or not.

What is understood::

    root/*.png                              normals only
    root/good, root/<kind>, …               normals in good, normal, ok or train; any other folder is a kind of anomaly
    root/good, root/bad/<kind>, …
    root/train, root/test/good, root/test/<kind>, …; normals of root/validation validate

Capitals, hyphens and underscores in the names of folders do not matter; images may lie deeper. Masks lie in a folder
``masks``, ``ground_truth``, ``gt``, ``labels`` or the like, anywhere, flat or in a folder for each kind, named as their
image or with ``_mask``, ``-gt``, ``_label`` … behind; or beside their image, so named. A published layout is recognised
and read by its own reader, see :mod:`adkit.data.layouts`.
"""

import os
from pathlib import Path

from adkit.data.layouts.recognise import read_known
from adkit.data.listing import FolderNames, list_folders
from adkit.data.samples import CategorySamples, choose_categories, require_folder, with_all_of
from adkit.data.tree import Tree
from adkit.data.tree_parts import read_tree


def read_image_folder(
    root: str | os.PathLike | None, category: object = None, names: FolderNames | None = None
) -> list[CategorySamples]:
    """The samples of the folder, or of each of several folders in it.

    Args:
        root: folder in one of the layouts above, or in a published one.
        category: None, or the name or names of folders below ``root`` that are each in such a layout.
        names: what the names of its folders mean, where they are none of those that people use.

    Raises:
        FileNotFoundError: if the folder is missing.
        ValueError: if there are no images, a layout is ambiguous, or a category is not there.
    """
    root = require_folder(root, "a folder of images")
    names = names or FolderNames()
    if names == FolderNames() and (known := read_known(root, category)):
        return known
    if category is None or (category == root.name and not (root / root.name).is_dir()):
        return with_all_of(root, [read_tree(folder, names) for folder in _category_folders(root, names)], None)
    chosen = choose_categories(category, [folder.name for folder in list_folders(root)], str(root))
    return [read_tree(root / name, names) for name in chosen]


def _category_folders(root: Path, names: FolderNames) -> list[Path]:
    """The folder itself, or the folders in it where each has normals of its own and the folder has none."""
    tree = Tree(root, names)
    loose, folders = tree.inside(root)
    if loose or any(tree.part_of(folder) or names.is_normal(folder.name) for folder in folders):
        return [root]
    own = [
        folder
        for folder in folders
        if any(names.is_normal(below.name) or tree.part_of(below) == "train" for below in list_folders(folder))
    ]
    return own or [root]
