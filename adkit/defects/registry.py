"""The types of defect by name, and how names, instances and callables of the learner's own become a mixture's types."""

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from adkit.defects.additive import Brightness, Line, Mask, Noise, Perlin, Stain
from adkit.defects.sampler import Corruption, Sampler
from adkit.defects.transforming import Blur, CutPaste, MissingYarn, Warp
from adkit.defects.validation import check_option

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


def resolve_types(
    defect_types: Sequence[str | DefectType] | Mapping[str, str | DefectType],
) -> dict[str, DefectType]:
    """The types of a mixture by name, in order.

    Args:
        defect_types: a list of names from :data:`DEFECT_TYPES`, instances such as ``Stain(edge=0.8)`` and callables
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
        check_option("a defect type", defect_type, DEFECT_TYPES)
        return DEFECT_TYPES[defect_type]()
    if not callable(defect_type) or isinstance(defect_type, type):
        raise ValueError(
            "a defect type must be a name, an instance or a callable (images, sampler) -> (changed, region), "
            f"got {defect_type!r}"
        )
    return defect_type
