"""Images whose labels say whether they are defective: a black one says no."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adkit.data.masks import take_masks_out
from adkit.data.read import in_threads, read_mask
from adkit.data.samples import NORMAL, FileSample
from adkit.data.tree import MASK_OF_NORMAL


@dataclass
class Labelled:
    """Images told apart by their labels.

    Attributes:
        normal: those with a black label, or without any.
        defective: the others, with their masks.
        unused: black labels.
        orphans: labels without an image.
    """

    normal: list[FileSample] = field(default_factory=list)
    defective: list[FileSample] = field(default_factory=list)
    unused: dict[Path, str] = field(default_factory=dict)
    orphans: list[Path] = field(default_factory=list)


def by_label(root: Path, files: Sequence[Path], masks: Mapping[Path, tuple[Path, ...]] | None = None) -> Labelled:
    """Tell images apart by their labels, which lie beside them or are given.

    Args:
        root: what the names of sources begin below.
        files: images, and their labels where ``masks`` is None.
        masks: labels of some images; None: they lie among the files, named as their image with ``_GT`` or alike behind.
    """
    images, labels = take_masks_out(files) if masks is None else (list(files), dict(masks))
    found = Labelled()
    masked = in_threads(lambda file: any(_marks(mask) for mask in labels.get(file, ())), images)
    for file, defective in zip(images, masked, strict=True):
        source = f"{root.name}/{file.relative_to(root).as_posix()}"
        own = labels.get(file, ())
        if defective:
            found.defective.append(FileSample(file, root.name, source, "defect", own))
        else:
            found.normal.append(FileSample(file, root.name, source, NORMAL))
            found.unused.update(dict.fromkeys(own, MASK_OF_NORMAL))
    return found


def _marks(mask: Path) -> bool:
    try:
        return bool(read_mask(mask).any())
    except ValueError:  # damaged, but there: whoever reads it says so
        return True
