"""Images in, by one call: the name of a set → its samples → splits by source → torch datasets."""

import os
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from numbers import Integral

from adkit.data.dataset import AnomalyDataset, Splits
from adkit.data.foreground import Foreground, resolve_foreground
from adkit.data.masks import check_categories
from adkit.data.resize import Size
from adkit.data.samples import Sample
from adkit.data.splits import check_leakage, split_categories

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
}
NAMES = (*GENERATED, *READERS)
OPTIONS = {"textile": ("types", "sizes", "severities", "repeats")}  # arguments of load_dataset that one set alone has


def reader_module(name: str) -> str:
    """The module that makes or reads a set: a result depends on it, and on no other reader.

    Args:
        name: one of :data:`NAMES`.

    Example:
        >>> reader_module("aitex")
        'adkit.data.aitex'
    """
    return (GENERATED | READERS)[name].partition(":")[0]


def _function_of(name: str) -> Callable:
    module, _, function = (GENERATED | READERS)[name].partition(":")
    return getattr(import_module(module), function)


def load_dataset(
    name: str,
    root: str | os.PathLike | None = None,
    category: str | int | Sequence[str | int] | None = None,
    image_size: int | Size | None = None,
    channels: int | None = None,
    seed: int = 0,
    tile: int | Size | None = None,
    overlap: int = 0,
    foreground: str | Foreground = "auto",
    **options: object,
) -> Splits:
    """Load a set, split by source into train, validation (both normal) and test.

    Args:
        name: ``textile`` or ``plots`` (both generated, without files), ``mvtec``, ``aitex`` or ``folder``.
        root: folder of the files; None for sets that are generated.
        category: a name, a list of names, or None for all the set has.
        image_size: side or (height, width) in pixels that images are resized to, and the textile is woven at; None:
            their own.
        channels: 1 (colour becomes luma), 3 (grey is repeated), or None: the set's own.
        seed: integer; another seed splits another way, and generates other images.
        tile: side or (height, width) in pixels of tiles, cut after resizing; None: whole images.
        overlap: pixels that neighbouring tiles share at least, at least 0 and below the tile's sides.
        foreground: ``fabric``, ``all``, a function of a grey image (H, W) in [0, 1] that gives a bool array (H, W), or
            ``auto``: ``fabric`` for AITEX, ``all`` elsewhere. Tiles without any foreground are left out of ``train``.
        options: of this set alone. The textile has ``types``, ``sizes``, ``severities`` and ``repeats``, which cross
            them in the test part, see :func:`adkit.data.textile.samples.textile_parts`; ``splits.test.kinds`` and
            ``splits.test.details`` say what each image is.

    Returns:
        Splits of :class:`adkit.data.AnomalyDataset`, whose items are dicts that ``default_collate`` accepts.

    Raises:
        FileNotFoundError: if a folder is missing.
        ValueError: if an argument, a file or the set is not as expected; the message says what to do.
        TypeError: if the set has no such option.

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
    image_size, tile = _as_size("image_size", image_size), _as_size("tile", tile)
    if not 0 <= overlap < (min(tile) if tile else 1):
        raise ValueError(
            f"overlap must be at least 0 and below the tile's sides, got overlap={overlap} with tile={tile}"
        )
    parts = _samples_by_part(name, root, category, image_size, seed, options)
    find = resolve_foreground(foreground, automatic="fabric" if name == "aitex" else "all")
    channels = channels or max(sample.header.channels for samples in parts.values() for sample in samples)
    datasets = {
        part: AnomalyDataset(samples, image_size, channels, tile, overlap, find, drop_background=part == "train")
        for part, samples in parts.items()
    }
    splits = Splits(**datasets, name=name)
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
        raise ValueError(f"unknown dataset {name!r}; known: {', '.join(NAMES)}")
    known = OPTIONS.get(name, ())
    if unknown := [option for option in options if option not in known]:
        has = f"its own options are {', '.join(known)}" if known else "it has none of its own"
        raise TypeError(f"load_dataset({name!r}) has no option {', '.join(map(repr, unknown))}; {has}")


def _samples_by_part(
    name: str, root: object, category: object, image_size: Size | None, seed: int, options: Mapping[str, object]
) -> dict[str, list[Sample]]:
    if name in READERS:
        return split_categories(check_categories(_function_of(name)(root, category)), seed)
    if root is not None:
        raise ValueError(f"{name} is generated, not read: leave root out, got root={str(root)!r}")
    # The textile is woven at the size; plots have one of their own, from which they are resized as files are.
    made_at = (image_size,) if name == "textile" else ()
    return _function_of(name)(category, *made_at, seed, **options)


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
