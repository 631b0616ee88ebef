"""A frozen description of a run → a result that is kept, its evaluation, and choices made without the test part."""

from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "Evaluation": "adkit.experiments.evaluation",
    "evaluate": "adkit.experiments.evaluation",
    "Experiment": "adkit.experiments.experiment",
    "Result": "adkit.experiments.experiment",
    "paired": "adkit.experiments.seeds",
    "run": "adkit.experiments.experiment",
    "run_many": "adkit.experiments.many",
    "over_seeds": "adkit.experiments.seeds",
    "table": "adkit.experiments.tables",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
