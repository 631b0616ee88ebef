"""The types of defect by name, and how names, instances and callables of the learner's own become a mixture's types.

A type of your own joins by :func:`register_defect`, and its name then works wherever one of adkit's does: in settings,
which are text, in ``build_defects`` and in ``synthesise``.

>>> @register_defect("hole")
... def hole(images, sampler):
...     row, column = sampler.grid
...     centre = sampler.centres()[:, :, None, None]
...     inside = (row - centre[:, 0]).square() + (column - centre[:, 1]).square() < 25
...     return images.masked_fill(inside[:, None], 0.0), inside
>>> "hole" in known_defects()
True
>>> unregister_defect("hole")
"""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from torch import Tensor

from adkit.defects.additive import Brightness, Line, Mask, Noise, Perlin, Stain
from adkit.defects.sampler import Corruption, Sampler
from adkit.defects.transforming import Blur, CutPaste, MissingYarn, Warp
from adkit.defects.validation import check_option
from adkit.runtime.provenance import content_hash

DefectType = Callable[[Tensor, Sampler], Corruption]

DEFECT_TYPES: dict[str, Callable[[], DefectType]] = {
    "mask": Mask,
    "noise": Noise,
    "stain": Stain,
    "line": Line,
    "cutpaste": CutPaste,
    "perlin": Perlin,
    "brightness": Brightness,
    "blur": Blur,
    "warp": Warp,
    "missing_yarn": MissingYarn,
}
# name → a type of the learner's own; and whether unknown names are let pass, for who only judges
_own: dict[str, DefectType] = {}
_lenient = False


class UnknownDefect:
    """Stands for a type that a saved detector was trained with and nobody has registered here; it cannot draw.

    Args:
        name: of the type.
    """

    def __init__(self, name: str):
        self.name = name

    def __call__(self, images: Tensor, sampler: Sampler) -> Corruption:
        """Raise: the function of the type is needed to train, and only there."""
        raise RuntimeError(
            f"the defect {self.name!r} is not known here; run the cell or file with its @register_defect, then train"
        )


def register_defect(name: str) -> Callable[[DefectType], DefectType]:
    """A decorator that gives a defect of your own a name.

    Running the same cell again, with the function edited, puts the new one in the place of the old one.

    Args:
        name: of letters, digits and ``_``; not one of adkit's own.

    Raises:
        TypeError: if what is decorated is no callable, or a class (decorate a function, or register an instance).
        ValueError: if the name is none, or taken by a type of adkit.
    """
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(f"a defect's name must consist of letters, digits and _, got {name!r}")
    if name in DEFECT_TYPES or name in ("all", "recommended"):
        raise ValueError(f"{name!r} is a name of adkit's own; choose another one, such as 'my_{name}'")

    def decorate(defect_type: DefectType) -> DefectType:
        if not callable(defect_type) or isinstance(defect_type, type):
            raise TypeError(
                f"@register_defect({name!r}) belongs above a function (images, sampler) -> (changed, region), "
                f"got {defect_type!r}"
            )
        _own[name] = defect_type
        return defect_type

    return decorate


def unregister_defect(name: str) -> None:
    """Forget a defect of your own.

    Args:
        name: that it was registered under; nothing happens where there is none.
    """
    _own.pop(name, None)


def known_defects() -> list[str]:
    """Names of all types: adkit's, then your own in the order in which they joined."""
    return [*DEFECT_TYPES, *_own]


def is_known(name: str) -> bool:
    """Whether a name stands for a type; while :func:`unknown_defects_allowed`, every name does.

    Args:
        name: of a type.
    """
    return _lenient or name in known_defects()


def own_defects_source(names: Sequence[str] | None = None) -> str:
    """What the types of your own do, as a hash; empty where there are none.

    A result that was trained with an edited type must not be taken for one of the old type.

    Args:
        names: only these; None: all that are registered.

    Raises:
        ValueError: if the source of one cannot be read.
    """
    chosen = [name for name in _own if names is None or name in names]
    return " ".join(f"{name}:{_hash_of(_own[name], name)}" for name in sorted(chosen))


def _hash_of(defect_type: DefectType, name: str) -> str:
    plain = inspect.isfunction(defect_type)
    try:
        source = textwrap.dedent(inspect.getsource(defect_type if plain else type(defect_type)))
    except (OSError, TypeError) as error:
        raise ValueError(
            f"the source of the defect {name!r} cannot be read ({error}); define it in a file or in a notebook cell"
        ) from error
    settings = "" if plain else repr(sorted(getattr(defect_type, "__dict__", {}).items()))
    return content_hash(source) + settings


@contextmanager
def unknown_defects_allowed() -> Iterator[None]:
    """Let names pass that nobody has registered: whoever loads a detector to judge draws no defects."""
    global _lenient
    before, _lenient = _lenient, True
    try:
        yield
    finally:
        _lenient = before


def resolve_types(
    defect_types: Sequence[str | DefectType] | Mapping[str, str | DefectType],
) -> dict[str, DefectType]:
    """The types of a mixture by name, in order.

    Args:
        defect_types: a list of names from :func:`known_defects`, instances such as ``Stain(edge=0.8)`` and callables
            ``(images, sampler) -> (changed, region)``, or a dict ``name -> one of those``.

    Returns:
        Name → callable. An instance from here is called by its entry in :data:`DEFECT_TYPES`, any other callable by
        its own name.

    Raises:
        ValueError: if there is none, a name is unknown or given twice, or something is no type of defect.

    Example:
        >>> list(resolve_types(["line", Stain(edge=0.8)]))
        ['line', 'stain']
    """
    if isinstance(defect_types, str) or not isinstance(defect_types, Sequence | Mapping) or not defect_types:
        raise ValueError(
            f"defect_types must be a list or a dict of at least one defect type, got {defect_types!r}; "
            f"known: {', '.join(DEFECT_TYPES)}"
        )
    if isinstance(defect_types, Mapping):
        named = list(defect_types.items())
    else:
        named = [(_name_of(defect_type), defect_type) for defect_type in defect_types]
    if len(dict(named)) < len(named):
        raise ValueError(
            f"defect types must have different names, got {[name for name, _ in named]}; "
            "give a dict name -> defect type"
        )
    return {name: _resolve(defect_type) for name, defect_type in named}


def is_builtin(defect_type: DefectType) -> bool:
    """Whether the class of a defect type is one of :data:`DEFECT_TYPES`, whose results need no check.

    Args:
        defect_type: an instance or a callable.
    """
    return type(defect_type) in DEFECT_TYPES.values()


def _name_of(defect_type: str | DefectType) -> str:
    if isinstance(defect_type, str):
        return defect_type
    known = {make: name for name, make in DEFECT_TYPES.items()}
    own_name = getattr(defect_type, "__name__", type(defect_type).__name__)
    return known.get(type(defect_type), own_name)


def _resolve(defect_type: str | DefectType) -> DefectType:
    if isinstance(defect_type, str):
        if defect_type in _own:
            return _own[defect_type]
        if is_known(defect_type) and defect_type not in DEFECT_TYPES:
            return UnknownDefect(defect_type)
        check_option("a defect type", defect_type, known_defects())
        return DEFECT_TYPES[defect_type]()
    if not callable(defect_type) or isinstance(defect_type, type):
        raise ValueError(
            "a defect type must be a name, an instance or a callable (images, sampler) -> (changed, region), "
            f"got {defect_type!r}"
        )
    return defect_type
