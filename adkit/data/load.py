"""Images in, by one call: the name of a set → its samples → splits by source → torch datasets."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from numbers import Integral

from adkit.data.bit_depth import bits_used
from adkit.data.damage import without_damaged
from adkit.data.dataset import AnomalyDataset
from adkit.data.foreground import Foreground, resolve_foreground
from adkit.data.found import Found
from adkit.data.listing import FolderNames
from adkit.data.masks import check_categories
from adkit.data.parts import Splits
from adkit.data.read import check_bits
from adkit.data.resize import Size
from adkit.data.samples import CategorySamples, Sample
from adkit.data.splits import check_leakage, split_categories
from adkit.runtime.values import did_you_mean
from adkit.runtime.values import seed as is_seed

# Module and function of each set, as text: they are imported when they are needed. So the hash of what a result depends
# on (adkit.runtime.provenance follows imports) holds the reader of its own set, and no other.
GENERATED = {  # category, the size they are made at (textile alone), seed → samples of each part
    "textile": "adkit.data.textile.samples:textile_parts",
    "plots": "adkit.data.plots.samples:plots_parts",
}
READERS = {  # root, category → samples of each category, not yet split
    "mvtec": "adkit.data.mvtec:read_mvtec",
    "aitex": "adkit.data.aitex:read_aitex",
    "folder": "adkit.data.folder:read_image_folder",
    "manifest": "adkit.data.layouts.manifest:read_manifest",
    "visa": "adkit.data.layouts.visa:read_visa",
    "btad": "adkit.data.layouts.btad:read_btad",
    "mpdd": "adkit.data.layouts.mpdd:read_mpdd",
    "ksdd": "adkit.data.layouts.ksdd:read_ksdd",
    "ksdd2": "adkit.data.layouts.ksdd2:read_ksdd2",
    "dagm": "adkit.data.layouts.dagm:read_dagm",
    "magnetic_tile": "adkit.data.layouts.magnetic_tile:read_magnetic_tile",
}
NAMES = (*GENERATED, *READERS)
# arguments of load_dataset that one set alone has
OPTIONS = {"textile": ("types", "sizes", "severities", "repeats"), "plots": ("counts",)}


def reader_module(name: str) -> str:
    """The module that makes or reads a set: a result depends on it, and on no other reader.

    Args:
        name: one of :data:`NAMES`.

    Example:
        >>> reader_module("aitex")
        'adkit.data.aitex'
    """
    return (GENERATED | READERS)[name].partition(":")[0]


def function_of(name: str) -> Callable:
    """The function that makes or reads a set.

    Args:
        name: one of :data:`NAMES`.
    """
    module, _, function = (GENERATED | READERS)[name].partition(":")
    return getattr(import_module(module), function)


def load_dataset(
    name: str,
    root: object = None,
    category: str | int | Sequence[str | int] | None = None,
    image_size: int | Size | None = None,
    channels: int | None = None,
    seed: int = 0,
    tile: int | Size | None = None,
    overlap: int | None = None,
    foreground: str | Foreground = "auto",
    *,
    bits: int | None = None,
    normal: str | Sequence[str] | None = None,
    defects: str | Sequence[str] | None = None,
    damaged: str | None = None,
    **options: object,
) -> Splits:
    """Load a set, split by source into train, validation (both normal) and test.

    Args:
        name: ``textile`` or ``plots`` (both generated, without files); ``folder``, which recognises the layout by the
            files; or a layout: ``mvtec`` (also AD 2 and LOCO), ``aitex``, ``visa``, ``btad``, ``mpdd``, ``ksdd``,
            ``ksdd2``, ``dagm``, ``magnetic_tile``, or ``manifest``, a table of paths and labels.
        root: folder of the files; of a manifest the CSV file, or a table such as a DataFrame; None for sets that are
            generated.
        category: a name, a list of names, or None for all the set has; a number stands for a name such as ``01``.
        image_size: side or (height, width) in pixels that images are resized to, and the textile is woven at; None:
            their own.
        channels: 1 (colour becomes luma), 3 (grey is repeated), or None: the set's own.
        seed: integer; another seed splits another way, and generates other images.
        tile: side or (height, width) in pixels of tiles, cut after resizing; None: whole images.
        overlap: pixels that neighbouring tiles share at least, at least 0 and below the tile's sides; None: a quarter
            of the tile's shorter side.
        foreground: ``fabric``, ``all``, a function of a grey image (H, W) in [0, 1] that gives a bool array (H, W), or
            ``auto``: ``fabric`` for AITEX, ``all`` elsewhere. Tiles without any foreground are left out of ``train``.
        bits: that 16-bit files use, from 8 to 16: 12 for many cameras; None: found over the set, and said in
            ``splits.found``.
        normal: name or names of the folders of normal images, for ``folder``; None: good, normal, ok and the like.
        defects: name or names of the folders of defects, for ``folder``; None: all others.
        damaged: ``skip`` decodes all images now and leaves those out, with a warning, that cannot be read; ``raise``
            decodes all and lists them in one error; None: an error, when the first of them is read.
        options: of this set alone. The textile has ``types``, ``sizes``, ``severities`` and ``repeats``, which cross
            them in the test part, see :func:`adkit.data.textile.samples.textile_parts`; ``splits.test.kinds`` and
            ``splits.test.details`` say what each image is. The plots have ``counts``, how many there are of each part,
            see :func:`adkit.data.plots.samples.plots_parts`.

    Returns:
        Splits of :class:`adkit.data.AnomalyDataset`, whose items are dicts that ``default_collate`` accepts.

    Raises:
        FileNotFoundError: if a folder is missing.
        ValueError: if an argument, a file or the set is not as expected; the message says what to do.
        TypeError: if the set has no such option.

    Warns:
        UserWarning: for files that are not used, masks that are missing or doubtful, and the like.

    Example:
        >>> splits = load_dataset("textile", category="denim", image_size=(64, 96), tile=64, overlap=16)
        >>> splits.train[0]["image"].shape, [splits.test[i]["left"] for i in splits.test.groups()[0]]
        (torch.Size([1, 64, 64]), [0, 32])
        >>> test = load_dataset("textile", sizes=[24, 96], severities=[0.5], repeats=1).test
        >>> test.kinds[-1], test.details[-1]
        ('dots', {'size': 96, 'severity': 0.5})
    """
    check_options(name, options)
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1, 3 or None for the set's own, got {channels!r}")
    check_bits(bits)
    seed = int(seed) if isinstance(seed, Integral) and not isinstance(seed, bool) else seed
    if not is_seed(seed):
        raise ValueError(f"seed must be a whole number of 64 bits, got {seed!r}")
    image_size, tile = _as_size("image_size", image_size), _as_size("tile", tile)
    overlap = _as_overlap(overlap, tile)
    find = resolve_foreground(foreground, automatic="fabric" if name == "aitex" else "all")
    found, unlabelled = None, []
    if name in READERS:
        categories = _read(name, root, category, FolderNames.of(normal, defects), damaged)
        unlabelled = [sample for each in categories for sample in each.unlabelled]
        bits = bits or bits_used([sample for each in categories for sample in each.samples])
        found = Found.of(categories, bits)
        found.warn()
        parts = split_categories(categories, seed)
    else:
        parts = _generated(name, root, category, image_size, seed, normal or defects or bits or damaged, options)
    channels = channels or max(sample.header.channels for samples in parts.values() for sample in samples)

    def dataset(samples: Sequence[Sample], part: str) -> AnomalyDataset:
        settings = (image_size, channels, tile, overlap, find)
        return AnomalyDataset(samples, *settings, drop_background=part == "train", bits=bits)

    splits = Splits(
        **{part: dataset(samples, part) for part, samples in parts.items()},
        name=name,
        unlabelled=dataset(unlabelled, "unlabelled") if unlabelled else None,
        found=found,
    )
    check_leakage(splits)
    return splits


def check_options(name: str, options: Mapping[str, object]) -> None:
    """Refuse options that a set does not have.

    Args:
        name: of the set.
        options: by name, see :func:`load_dataset`.

    Raises:
        ValueError: if the set is unknown.
        TypeError: if it has no such option.
    """
    if name not in NAMES:
        raise ValueError(f"unknown dataset {name!r}{did_you_mean(name, NAMES)}; known: {', '.join(NAMES)}")
    known = OPTIONS.get(name, ())
    if unknown := [option for option in options if option not in known]:
        has = f"its own options are {', '.join(known)}" if known else "it has none of its own"
        raise TypeError(f"load_dataset({name!r}) has no option {', '.join(map(repr, unknown))}; {has}")


def _read(name: str, root: object, category: object, names: FolderNames, damaged: str | None) -> list[CategorySamples]:
    if damaged not in (None, "skip", "raise"):
        raise ValueError(f"damaged must be 'skip', 'raise' or None, got {damaged!r}")
    if names != FolderNames() and name != "folder":
        raise ValueError(f"normal= and defects= name the folders of the layout 'folder'; {name!r} has names of its own")
    arguments = (root, category, names) if name == "folder" else (root, category)
    categories = function_of(name)(*arguments)
    return check_categories(without_damaged(categories, damaged) if damaged else categories)


def _generated(
    name: str,
    root: object,
    category: object,
    image_size: Size | None,
    seed: int,
    for_files: object,
    options: Mapping[str, object],
) -> dict[str, list[Sample]]:
    if root is not None:
        raise ValueError(f"{name} is generated, not read: leave root out, got root={str(root)!r}")
    if for_files:
        raise ValueError(f"{name} is generated, not read: leave normal, defects, bits and damaged out")
    # The textile is woven at the size; plots have one of their own, from which they are resized as files are.
    made_at = (image_size,) if name == "textile" else ()
    return function_of(name)(category, *made_at, seed, **options)


def _as_overlap(overlap: object, tile: Size | None) -> int:
    if overlap is None:
        return min(tile) // 4 if tile else 0
    if isinstance(overlap, bool) or not isinstance(overlap, Integral) or not 0 <= overlap < (min(tile) if tile else 1):
        raise ValueError(
            f"overlap must be at least 0 and below the tile's sides, got overlap={overlap!r} with tile={tile}"
        )
    return int(overlap)


def _as_size(what: str, value: object) -> Size | None:
    """(height, width) of a side, or of a pair such as YAML gives."""
    if value is None:
        return None
    pair = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else (value, value)
    if len(pair) != 2 or not all(
        isinstance(side, Integral) and side > 0 and not isinstance(side, bool) for side in pair
    ):
        raise ValueError(f"{what} must be a positive number or a pair (height, width), got {value!r}")
    return int(pair[0]), int(pair[1])
