"""Which files lie in a folder, and what the names that people give to folders mean."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from adkit.data.formats import SUFFIXES

TRAIN = ("train", "training", "trainset", "trainingset")
VALIDATION = ("val", "valid", "validate", "validation", "validationset", "dev")
TEST = ("test", "testing", "testset", "testpublic", "eval", "evaluation")
WITHHELD = ("testprivate", "testprivatemixed", "unlabelled", "unlabeled")  # labels are not given away
NORMAL_NAMES = (
    "good", "goods", "normal", "normals", "ok", "okay", "nodefect", "nodefects", "defectfree", "nondefective",
    "anomalyfree", "io", "pass", "passed", "accept", "accepted", "gut", "flawless",
)  # fmt: skip
DEFECT_NAMES = (
    "bad", "defect", "defects", "defective", "anomaly", "anomalies", "anomalous", "abnormal", "ng", "ko", "nok",
    "notok", "notgood", "fail", "failed", "faulty", "nio", "reject", "rejected", "rejects", "schlecht",
)  # fmt: skip
MASK_NAMES = (
    "mask", "masks", "gt", "gts", "groundtruth", "groundtruths", "truth", "label", "labels", "annotation",
    "annotations", "seg", "segs", "segmentation", "segmentations", "maskimages",
)  # fmt: skip
IMAGE_NAMES = ("image", "images", "img", "imgs")
_NOUN = re.compile(r"(?:images?|imgs?|pictures?|photos?|frames?|parts?|pieces?|samples?|data)$")
# beside images without being any: of these no one asks why they were not read
DOCUMENTS = {
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".md", ".rst", ".html", ".htm", ".pdf", ".yaml", ".yml", ".toml",
    ".ini", ".cfg", ".log", ".py", ".ipynb", ".sh", ".doc", ".docx", ".xls", ".xlsx", ".db", ".license", ".bib",
    ".lock", ".sha256", ".md5", ".pt", ".pth", ".safetensors",
}  # fmt: skip
LITTER = {"__MACOSX", "@eaDir", "lost+found"}


def simple(name: str) -> str:
    """A name as it is compared: without capitals, blanks, hyphens, underscores and dots.

    Args:
        name: of a folder or a column.

    Example:
        >>> simple("Ground_Truth")
        'groundtruth'
    """
    return re.sub(r"[\s_.\-]+", "", name.lower())


def plain(name: str) -> str:
    """A name of a folder, simple, without the noun that says only that there are images: ``Good Parts`` is ``good``.

    Args:
        name: of a folder.

    Example:
        >>> plain("Good Parts"), plain("test_images"), plain("images")
        ('good', 'test', 'images')
    """
    return _NOUN.sub("", simple(name)) or simple(name)


@dataclass(frozen=True)
class FolderNames:
    """What the names of folders mean, where somebody says so.

    Attributes:
        normal: names of folders of normal images; empty: those that people use.
        defects: names of folders of defects; empty: any other.
    """

    normal: tuple[str, ...] = ()
    defects: tuple[str, ...] = ()

    @classmethod
    def of(cls, normal: object = None, defects: object = None) -> "FolderNames":
        """Check what a user passes.

        Args:
            normal: a name, several names, or None.
            defects: the same.

        Raises:
            ValueError: if it is anything else, or one name means both.
        """
        names = {"normal": normal, "defects": defects}
        for what, value in names.items():
            value = () if value is None else (value,) if isinstance(value, str) else value
            if not isinstance(value, list | tuple | set) or not all(isinstance(name, str) and name for name in value):
                raise ValueError(f"{what} must be the name of a folder or a list of names, got {value!r}")
            names[what] = tuple(simple(name) for name in value)
        if both := set(names["normal"]) & set(names["defects"]):
            raise ValueError(f"folder {', '.join(sorted(both))} cannot be normal and a defect at once")
        return cls(**names)

    def is_normal(self, name: str) -> bool:
        """Whether a folder of that name holds normal images."""
        return simple(name) in self.normal if self.normal else plain(name) in NORMAL_NAMES

    def is_defect(self, name: str) -> bool:
        """Whether a folder of that name may hold defects: its name is one of those given, or none were."""
        return not self.defects or simple(name) in self.defects

    def is_mask(self, name: str) -> bool:
        """Whether a folder of that name holds masks."""
        return simple(name) in MASK_NAMES and simple(name) not in self.normal + self.defects


def list_images(folder: Path, below: bool = False) -> list[Path]:
    """Image files in a folder, sorted; what is hidden (a name that begins with a dot) is left out.

    Args:
        folder: must be there.
        below: look into the folders below as well.
    """
    files = list_files(folder) if below else (path for path in folder.iterdir() if not _hidden(path.name))
    return sorted(path for path in files if path.suffix.lower() in SUFFIXES and path.is_file())


def list_folders(folder: Path) -> list[Path]:
    """Folders that lie directly in a folder, sorted, without hidden ones.

    Args:
        folder: must be there.
    """
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and not _hidden(path.name) and not _leads_back(path)
    )


def list_files(folder: Path) -> Iterator[Path]:
    """All files in a folder and below it that are not hidden, in no order.

    Args:
        folder: must be there.
    """
    seen = set()  # a link may lead back up
    for parent, folders, files in os.walk(folder, followlinks=True):
        seen.add(os.path.realpath(parent))
        folders[:] = [
            name for name in folders if not _hidden(name) and os.path.realpath(Path(parent, name)) not in seen
        ]
        yield from (Path(parent, name) for name in files if not _hidden(name))


def name_some(files: Iterable[Path], limit: int = 8) -> str:
    """The first few names of a list, and how many more there are.

    Args:
        files: paths, of which the last two parts are named.
        limit: names at most.
    """
    names = [str(Path(*Path(file).parts[-2:])) for file in files]
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


def _leads_back(path: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return path.is_symlink() and path.resolve() in path.parent.resolve().joinpath("_").parents


def _hidden(name: str) -> bool:
    return name.startswith(".") or name in LITTER
