"""Synthetic defects from what a config can hold: the counterpart of ``adkit.losses.build_loss``."""

from collections.abc import Mapping, Sequence

from adkit.defects.mixture import SyntheticDefects
from adkit.defects.registry import DEFECT_TYPES, DefectType, is_known, known_defects, resolve_types

# Notebook 02 keeps it: on validation normals with held-out defect types, no other was two hundredths of AP ahead.
RECOMMENDED = {"size": (0.1, 0.4)}
ARGUMENTS = ("defect_types", "weights", "count", "clean", "size", "contrast")


def build_defects(
    spec: str | Sequence[str] | Mapping | SyntheticDefects | None, instances: Mapping[str, DefectType] | None = None
) -> SyntheticDefects | None:
    """A mixture of defects from literals.

    Args:
        spec: ``"all"``, every defect type as it is; ``"recommended"``, every type with :data:`RECOMMENDED`; the name of
            a type, or a list of names; a dict of the arguments of :class:`adkit.defects.SyntheticDefects`, such as
            ``{"defect_types": ["stain", "line"], "clean": 0.25}`` (``kinds``, the older name of ``defect_types``, is
            understood too); None for no defects; or a mixture, which is returned as it is.
        instances: name → what takes its place, for a type that needs more than literals, such as
            ``{"perlin": Perlin(texture=bank)}``; default: none.

    Returns:
        The mixture, or None.

    Raises:
        ValueError: if a defect type or an argument is unknown, or out of its range.

    Example:
        >>> build_defects(["stain", "line"]).defect_types
        ('stain', 'line')
        >>> len(build_defects("all").defect_types), build_defects("recommended").size, build_defects(None)
        (10, (0.1, 0.4), None)
    """
    if spec is None or isinstance(spec, SyntheticDefects):
        return spec
    if spec == "recommended":
        spec = RECOMMENDED
    arguments = dict(spec) if isinstance(spec, Mapping) else {"defect_types": spec}
    if "kinds" in arguments:
        if "defect_types" in arguments:
            raise ValueError("defect_types and kinds are the same argument under two names; pass defect_types alone")
        arguments["defect_types"] = arguments.pop("kinds")
    if unknown := set(arguments) - set(ARGUMENTS):
        raise ValueError(
            f"unknown argument {', '.join(map(repr, sorted(unknown)))} for synthetic defects; "
            f"known: {', '.join(ARGUMENTS)}"
        )
    names = _names(arguments.pop("defect_types", "all"))
    if instances:
        names = {name: instances.get(name, known) for name, known in resolve_types(names).items()}
    return SyntheticDefects(names, **arguments)


def _names(spec: str | Sequence[str]) -> Sequence[str]:
    """``"all"`` and a single name as the lists that they stand for."""
    if isinstance(spec, str) and spec != "all" and not is_known(spec):
        raise ValueError(f"unknown defects {spec!r}; known: all, recommended, or some of {', '.join(known_defects())}")
    return tuple(DEFECT_TYPES) if spec == "all" else [spec] if isinstance(spec, str) else spec
