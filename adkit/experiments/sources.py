"""Which sources a result depends on: those that a fit runs, and those that judge what was fitted.

They are kept apart, for a training takes minutes to hours and an evaluation seconds: a changed metric must not throw
trainings away.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from adkit.data.load import NAMES, reader_module
from adkit.defects.registry import own_defects_source
from adkit.detectors.registry import own_source, source_modules
from adkit.runtime.provenance import imported_modules, source_fingerprint

# modules that run for every method, besides the reader of the images and the detector
FIT = ("adkit.data.load",)
RUN = (*FIT, "adkit.experiments.evaluation", "adkit.experiments.synthetic_validation")


@lru_cache(maxsize=32)
def source_hash(method_class: type, dataset: str | None = None, rooms: tuple[str, ...] = RUN) -> str:
    """Hash of what every adkit module does that the data set, the detector and the evaluation run.

    Of a method that lies outside adkit, a hash of its own source follows, see
    :func:`adkit.detectors.registry.own_source`.

    Args:
        method_class: class of the detector.
        dataset: name of the set, as :func:`adkit.load_dataset` knows it; None, or another name: images that no reader
            of adkit has brought.
        rooms: modules that run besides the reader and the detector; default: those of :func:`adkit.run`; ``FIT``:
            those of its training alone.
    """
    readers = [reader_module(dataset)] if dataset in NAMES else []
    of_adkit = source_fingerprint(imported_modules([*rooms, *readers, *source_modules(method_class)]))
    own = own_source(method_class)
    return f"{of_adkit} {own}" if own else of_adkit


def with_own_defects(sources: str, settings: Mapping) -> str:
    """Sources, and those of the defects of the learner's own that settings name: an edited defect is another training.

    Args:
        sources: of :func:`source_hash`.
        settings: of the detector.

    Example:
        >>> with_own_defects("abc", {"defects": ["stain", "line"]})
        'abc'
    """
    own = own_defects_source(list(_texts(settings)))
    return f"{sources} {own}" if own else sources


def _texts(value: object) -> Iterator[str]:
    """All texts in literals, one within another."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
