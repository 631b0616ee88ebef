"""Which published layout a folder has: told by its files, read by the layout's own reader."""

from importlib import import_module
from pathlib import Path

from adkit.data.samples import CategorySamples

# The most special first. As text: so a result depends on the reader of its own set, and on no other.
LAYOUTS = {
    "adkit.data.layouts.manifest": "read_manifest",
    "adkit.data.aitex": "read_aitex",
    "adkit.data.layouts.visa": "read_visa",
    "adkit.data.layouts.magnetic_tile": "read_magnetic_tile",
    "adkit.data.layouts.ksdd": "read_ksdd",
    "adkit.data.layouts.ksdd2": "read_ksdd2",
    "adkit.data.layouts.dagm": "read_dagm",
    "adkit.data.layouts.btad": "read_btad",
    "adkit.data.layouts.mpdd": "read_mpdd",
    "adkit.data.mvtec": "read_mvtec",
}


def read_known(root: Path, category: object = None) -> list[CategorySamples]:
    """The samples of a folder in a published layout; none if it has no such layout.

    Args:
        root: must be there.
        category: a name, a list of names, or None for all.

    Raises:
        ValueError: if the folder has the layout but not what was asked for.
    """
    for name, function in LAYOUTS.items():
        reader = import_module(name)
        if reader.recognise(root):
            return getattr(reader, function)(root, category)
    return []
