"""Who goes where: normals into train, validation and test by source, everything anomalous into test."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace

from adkit.data.parts import Splits
from adkit.data.samples import CategorySamples, Sample
from adkit.data.say import warn

PARTS = ("train", "validation", "test")
MIN_VALIDATION, MIN_TEST = 2, 4  # sources


def split_categories(categories: Sequence[CategorySamples], seed: int = 0) -> dict[str, list[Sample]]:
    """Split each category for itself and join the parts, in the order of the categories.

    Args:
        categories: as a reader brings them.
        seed: integer; another seed sends other sources into other parts.

    Returns:
        Samples of ``train``, ``validation`` and ``test``.

    Raises:
        ValueError: if a category has too few sources.
    """
    parts = {part: [] for part in PARTS}
    for category in categories:
        for part, samples in zip(PARTS, split_category(category, seed), strict=True):
            parts[part] += samples
    return parts


def split_category(category: CategorySamples, seed: int = 0) -> tuple[list[Sample], list[Sample], list[Sample]]:
    """Split one category.

    With validation normals of its own (at least 2 sources), they validate; what follows shares out the rest. With test
    normals of its own, 80 / 20 % of the normal sources train and validate; else 60 / 15 / 25 % train,
    validate and test. Shares are rounded up for validation (at least 2 sources) and test (at least 4), and no part may
    be larger than train. Which source goes where depends on the seed and the names of the sources alone: not on the
    order of listing, nor on the folder that the set lies in.

    Args:
        category: its samples.
        seed: integer; another seed sends other sources into other parts.

    Returns:
        Samples of train, validation and test.

    Raises:
        ValueError: if there are too few sources.
    """
    own = category.validation
    if own and len({sample.source for sample in own}) < MIN_VALIDATION:
        category, own = replace(category, normals=category.normals + own, validation=[]), []
    sources = sorted({sample.source for sample in category.normals}, key=lambda source: _rank(source, seed))
    count = len(sources)
    if category.test_normals:
        validation, test = max(MIN_VALIDATION, -(-count * 20 // 100)), 0
        tested = len({sample.source for sample in category.test_normals + category.anomalous})
    else:
        validation, test = max(MIN_VALIDATION, -(-count * 15 // 100)), max(MIN_TEST, -(-count * 25 // 100))
        tested = test
    validation = 0 if own else validation
    if count - validation - test < max(validation, test, MIN_VALIDATION) or tested < MIN_TEST:
        needed = "4 normal sources and 4 for the test" if category.test_normals else "10 normal sources"
        raise ValueError(
            f"category {category.category!r} is too small to split: it has {count} normal source(s) (images or strips) "
            f"and {len(category.test_normals)} test normal(s), and a split needs {needed}; add images"
        )
    train = set(sources[: count - validation - test])
    tests = set(sources[count - test :])
    validated = set(sources) - train - tests
    normals = [[sample for sample in category.normals if sample.source in part] for part in (train, validated, tests)]
    return normals[0], normals[1] + own, normals[2] + category.test_normals + category.anomalous


def check_leakage(splits: Splits) -> None:
    """Make sure that no part of the data knows another.

    Args:
        splits: train, validation and test.

    Warns:
        UserWarning: if parts share files of identical content under different names.

    Raises:
        ValueError: if one source (a strip, say, of which tiles were cut) lies in two parts.
    """
    parts = {part: getattr(splits, part).samples for part in PARTS}
    shared = _in_several(parts, lambda sample: (sample.category, sample.source))
    if shared:
        names = ", ".join(source for _, source in list(shared)[:5])
        raise ValueError(
            f"{len(shared)} source(s) lie in more than one of train, validation and test, so that scores would be too "
            f"good: {names}; split by source, not by tile"
        )
    # Only files of equal length need be read and compared.
    by_length = defaultdict(list)
    for samples in parts.values():
        for sample in samples:
            by_length[sample.nbytes].append(sample)
    doubtful = {id(sample) for group in by_length.values() if len(group) > 1 for sample in group}
    duplicates = _in_several(
        {part: [sample for sample in samples if id(sample) in doubtful] for part, samples in parts.items()},
        lambda sample: sample.digests()[0],
    )
    if duplicates:
        names = "; ".join(" = ".join(sample.path for sample in group) for group in list(duplicates.values())[:5])
        warn(f"{len(duplicates)} image(s) lie in more than one part under different names: {names}")


def _in_several(parts: dict[str, Iterable[Sample]], key: Callable[[Sample], Hashable]) -> dict[Hashable, list[Sample]]:
    """Samples whose key occurs in more than one part, by that key."""
    by_key = defaultdict(dict)
    for part, samples in parts.items():
        for sample in samples:
            by_key[key(sample)].setdefault(part, sample)
    return {value: list(by_part.values()) for value, by_part in by_key.items() if len(by_part) > 1}


def _rank(source: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{source}".encode()).digest()
