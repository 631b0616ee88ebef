"""Synthetic defects from what a config can hold: the counterpart of ``adkit.losses.build_loss``."""

from collections.abc import Mapping, Sequence

from adkit.defects.mixture import KINDS, SyntheticDefects

RECOMMENDED = {"size": (0.1, 0.4)}  # notebook 02 chose it on validation normals, by kinds that were held out


def build_defects(spec: str | Sequence[str] | Mapping | SyntheticDefects | None) -> SyntheticDefects | None:
    """A mixture of defects from literals.

    Args:
        spec: ``"all"``, every kind as it is; ``"recommended"``, every kind with :data:`RECOMMENDED`; the name of a
            kind, or a list of names; a dict of the arguments of :class:`adkit.defects.SyntheticDefects`, such as
            ``{"kinds": ["stain", "line"], "clean": 0.25}``; None for no defects; or a mixture, which is returned as it
            is.

    Raises:
        ValueError: if a kind or an argument is unknown, or out of its range.

    Example:
        >>> build_defects(["stain", "line"]).kinds
        ('stain', 'line')
        >>> len(build_defects("all").kinds), build_defects("recommended").size, build_defects(None)
        (10, (0.1, 0.4), None)
    """
    if spec is None or isinstance(spec, SyntheticDefects):
        return spec
    if spec == "recommended":
        spec = RECOMMENDED
    if isinstance(spec, Mapping):
        known = ("kinds", "weights", "count", "clean", "size", "contrast")
        if unknown := set(spec) - set(known):
            raise ValueError(
                f"unknown argument {', '.join(map(repr, sorted(unknown)))} for synthetic defects; "
                f"known: {', '.join(known)}"
            )
        return SyntheticDefects(**{**spec, "kinds": _kinds(spec.get("kinds", "all"))})
    return SyntheticDefects(_kinds(spec))


def _kinds(spec: str | Sequence[str]) -> Sequence[str]:
    """``"all"`` and a single name as the lists that they stand for."""
    if isinstance(spec, str) and spec not in ("all", *KINDS):
        raise ValueError(f"unknown defects {spec!r}; known: all, recommended, or some of {', '.join(KINDS)}")
    return tuple(KINDS) if spec == "all" else [spec] if isinstance(spec, str) else spec
