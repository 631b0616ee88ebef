"""What each part of a folder of images holds: normals to learn from, to validate, to test, and kinds of defects."""

from pathlib import Path

from adkit.data.listing import DEFECT_NAMES, FolderNames, list_folders, list_images, plain, simple
from adkit.data.samples import NORMAL, UNLABELLED, CategorySamples, FileSample
from adkit.data.say import warn
from adkit.data.tree import DEFECTIVE_PART, UNSAID, Tree, TreeImage

BESIDE = "it lies beside train and test, which hold what is used"
NOT_NAMED = "its folder is none of those named in normal= and defects="


def read_tree(root: Path, names: FolderNames, layout: str = "folder") -> CategorySamples:
    """The samples of one folder in one of the layouts above; its name is the category.

    Args:
        root: the folder.
        names: what the names of its folders mean.
        layout: name of the layout, for the summary.

    Raises:
        ValueError: if there are no images, or it is not clear what they are.
    """
    tree = Tree(root, names)
    loose, folders = tree.inside(root)
    parts: dict[str, list[Path]] = {"train": [], "validation": [], "test": [], "unlabelled": [], "": []}
    for folder in folders:
        parts[tree.part_of(folder)].append(folder)
    for folder in parts["train"]:
        _take_normals(tree, folder, "train")
    for folder in parts["validation"]:
        _take_normals(tree, folder, "validation")
    for folder in parts["test"]:
        _take_test(tree, folder)
    for folder in parts["unlabelled"]:
        tree.take(folder, UNLABELLED, "unlabelled")
    _take_others(tree, parts[""], beside_parts=bool(parts["train"] and parts["test"]))
    _take_loose(tree, loose)
    if not tree.images:
        raise ValueError(
            f"no images in {root}; expected PNG, JPEG, BMP or TIFF files in it, or in folders good and <kind>, or "
            "train/good and test/<kind>; `adkit.data.check` lists what lies there"
        )
    tree.give_masks()
    unsaid = [image.file for image in tree.images if image.kind == UNSAID]
    if unsaid:
        raise ValueError(
            f"{unsaid[0].parent} holds {len(unsaid)} images without a label; move them into test/good and test/<kind>, "
            "or name each in a manifest: load_dataset('manifest', 'manifest.csv')"
        )
    return _as_category(tree, layout)


def _take_normals(tree: Tree, folder: Path, part: str) -> None:
    """A folder of normals; folders in it that do not say so are left out, unless there is nothing else."""
    loose, folders = tree.inside(folder)
    good = [below for below in folders if tree.names.is_normal(below.name)]
    rest = [below for below in folders if below not in good]
    tree.add(loose, NORMAL, part)
    for below in good:
        tree.take(below, NORMAL, part)
    if loose or good or tree.names.normal:
        for below in rest:
            tree.leave_out(below, DEFECTIVE_PART)
        return
    tested = {simple(kind.name) for other in list_folders(tree.root) if tree.part_of(other) == "test"
              for kind in list_folders(other)}  # fmt: skip
    assumed = []
    for below in rest:
        if plain(below.name) in DEFECT_NAMES or simple(below.name) in tested:
            tree.leave_out(below, DEFECTIVE_PART)
        elif list_images(below, below=True):
            tree.take(below, NORMAL, part)
            assumed.append(below.name)
    if assumed:
        warn(
            f"the images of {', '.join(assumed)} in {folder} are taken as normal, because they lie in {folder.name}; "
            "if some are defective, pass normal= with the names of the folders that are not"
        )


def _take_test(tree: Tree, folder: Path) -> None:
    loose, folders = tree.inside(folder)
    tree.add(loose, UNSAID, "test")
    for below in sorted(folders, key=lambda below: not tree.names.is_normal(below.name)):
        if tree.names.is_normal(below.name):
            tree.take(below, NORMAL, "test")
        elif tree.names.is_defect(below.name):
            tree.take_kinds(below, "test")
        else:
            tree.leave_out(below, NOT_NAMED)


def _take_others(tree: Tree, folders: list[Path], beside_parts: bool) -> None:
    """Folders that are no part: normals and kinds, unless train and test are there to hold them."""
    for folder in sorted(folders, key=lambda folder: not tree.names.is_normal(folder.name)):
        if beside_parts:
            tree.leave_out(folder, BESIDE)
        elif tree.names.is_normal(folder.name):
            tree.take(folder, NORMAL, "")
        elif tree.names.is_defect(folder.name):
            tree.take_kinds(folder, "test")
        else:
            tree.leave_out(folder, NOT_NAMED)


def _take_loose(tree: Tree, loose: list[Path]) -> None:
    if loose and any(image.part in ("train", "test") and image.kind == NORMAL for image in tree.images):
        tree.unused.update(dict.fromkeys(loose, BESIDE))
    elif loose and tree.images:
        names = dict.fromkeys(image.file.relative_to(tree.root).parts[0] for image in tree.images)
        raise ValueError(
            f"{tree.root} holds {len(loose)} images beside folders of images ({', '.join(names)}); "
            "move the images into a folder 'good' if they are normal"
        )
    else:
        tree.add(loose, NORMAL, "")


def _as_category(tree: Tree, layout: str) -> CategorySamples:
    for note in tree.notes:
        warn(note)

    def samples(*wanted: tuple[bool, tuple[str, ...]]) -> list[FileSample]:
        return [_sample(tree.root, image) for image in tree.images if (image.kind == NORMAL, image.part) in wanted]

    return CategorySamples(
        tree.root.name,
        normals=samples((True, "train"), (True, "")),
        test_normals=samples((True, "test")),
        anomalous=samples((False, "test"), (False, "")),
        orphans=tree.orphans,
        validation=samples((True, "validation")),
        unlabelled=samples((False, "unlabelled")),
        unused=tree.unused,
        folders=(tree.root,),
        layout=layout,
        notes=tree.notes,
    )


def _sample(root: Path, image: TreeImage) -> FileSample:
    source = f"{root.name}/{image.file.relative_to(root).as_posix()}"
    return FileSample(image.file, root.name, source, image.kind, image.masks)
