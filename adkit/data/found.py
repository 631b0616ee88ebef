"""What was found of a set on disk: how it was read, what was decided, and the files that nobody looked at."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adkit.data.damage import OF_DAMAGED
from adkit.data.formats import SUFFIXES
from adkit.data.listing import DOCUMENTS, list_files, name_some
from adkit.data.masks import EMPTY, mask_rules
from adkit.data.samples import CategorySamples
from adkit.data.say import warn
from adkit.data.tree import MASK_OF_NORMAL

QUIET = {
    MASK_OF_NORMAL,
    EMPTY,
    OF_DAMAGED,
    "damaged",
    "its name does not tell the fabric",
}  # reasons that need no warning, or had one


@dataclass
class Found:
    """What was found, and what was made of it; ``print`` shows it.

    Attributes:
        layout: name of the layout that the files were read by.
        unused: files that are not used → why.
        documents: files that are no images, counted by suffix.
        mask_rules: how the values of the masks were read → how many masks.
        bits: that the values of 16-bit files use, see :mod:`adkit.data.bit_depth`; None: all files have 8.
        pages: files of several pages, of which only the first is read.
        notes: what was decided on the way.
    """

    layout: str
    unused: dict[Path, str] = field(default_factory=dict)
    documents: Counter = field(default_factory=Counter)
    mask_rules: Counter = field(default_factory=Counter)
    bits: int | None = None
    pages: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, categories: Sequence[CategorySamples], bits: int | None = None) -> "Found":
        """Look at what readers brought, and at what lies beside it.

        Args:
            categories: of one set, with their masks read.
            bits: that the 16-bit files use.
        """
        samples = [sample for category in categories for sample in category.samples]
        layouts = dict.fromkeys(category.layout for category in categories if category.layout)
        found = cls(" and ".join(layouts) or "folder", bits=bits, mask_rules=mask_rules(samples))
        known = {file for category in categories for file in category.files}
        for category in categories:
            found.unused.update(category.unused)
            found.notes += category.notes
            for folder in category.folders:
                found._look_beside(folder, known)
        found.pages = sorted(sample.file for sample in samples if sample.header.pages > 1)
        if bits is not None:
            found.notes.append(f"16-bit files use {bits} bits: {2**bits - 1} becomes 1")
        return found

    def _look_beside(self, folder: Path, known: set[Path]) -> None:
        for file in sorted(set(list_files(folder)) - known - set(self.unused)):
            suffix = file.suffix.lower()
            if suffix in DOCUMENTS or not suffix or file.name == "Thumbs.db":
                self.documents[suffix or file.name] += 1
            elif suffix in SUFFIXES:
                gone = not file.is_file()
                self.unused[file] = (
                    "it is a link to a file that is gone" if gone else "it lies in no folder that the layout has"
                )
            else:
                self.unused[file] = f"{suffix} is no format that is read; save it as PNG or TIFF"

    def warn(self) -> None:
        """Name what is not used, once for each reason."""
        for why, files in self.by_reason().items():
            if why not in QUIET:
                warn(f"{len(files)} file(s) are not used: {why}: {name_some(files)}")
        if self.pages:
            warn(f"{len(self.pages)} file(s) hold several pages, of which the first is read: {name_some(self.pages)}")

    def by_reason(self) -> dict[str, list[Path]]:
        """The files that are not used, by the reason."""
        reasons: dict[str, list[Path]] = {}
        for file, why in self.unused.items():
            reasons.setdefault(why, []).append(file)
        return reasons

    def __str__(self) -> str:
        lines = [f"layout: {self.layout}"]
        lines += _counted("masks", self.mask_rules)
        lines += [
            f"not used: {len(files)} file(s): {why}: {name_some(files)}" for why, files in self.by_reason().items()
        ]
        lines += _counted("no images", self.documents)
        lines += [f"several pages, the first is read: {name_some(self.pages)}"] if self.pages else []
        return "\n".join([*lines, *self.notes])


def _counted(what: str, counts: Counter) -> Iterable[str]:
    return [f"{what}: " + ", ".join(f"{count} {name}" for name, count in counts.items())] if counts else []
