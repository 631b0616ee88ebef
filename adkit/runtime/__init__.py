"""What everything stands on: the environment of a run, its progress line, folders on disk, the sources behind it."""

from adkit.runtime.lazy import lazy_exports

VERSION = "0.2.0"  # of adkit, as pyproject.toml has it

_HOMES = {
    "PRECISIONS": "adkit.runtime.environment",
    "Stream": "adkit.runtime.environment",
    "atomic_path": "adkit.runtime.atomic",
    "fast_mode": "adkit.runtime.environment",
    "generator": "adkit.runtime.environment",
    "home": "adkit.runtime.environment",
    "interactive_mode": "adkit.runtime.environment",
    "resolve_device": "adkit.runtime.environment",
    "resolve_precision": "adkit.runtime.environment",
    "seed_everything": "adkit.runtime.environment",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
