"""Live metrics of a training. A tracker that fails says so once, and the training goes on."""

import warnings
from collections.abc import Callable, Mapping

from adkit.deploy.tracking.store import Store, open_store

# so many failures in a row, and no more is tried: one may be a file that is locked, more cost a training its time
MOST_FAILURES = 3


class Tracker:
    """Hangs on a detector's ``on_validation``, and logs each row of its history as it comes.

    The first failure is a warning; after three in a row it is silent for good.

    Args:
        name: of the run.
        params: of the run, such as ``asdict(detector.settings)``.
        uri: of MLflow; None: a sqlite file under ``ADKIT_HOME``.
        experiment: name of the experiment.
        store: where to log; None: the one of ``uri``.

    Example:
        >>> with Tracker("first try", {"width": 16}) as tracker:  # doctest: +SKIP
        ...     detector.on_validation = tracker.watch
        ...     detector.fit(splits.train, splits.validation)
    """

    def __init__(
        self, name: str, params: Mapping, uri: str | None = None, experiment: str = "adkit", store: Store | None = None
    ):
        self.store, self.run_id, self._warned, self._failures = store, None, False, 0
        self._try(lambda: self._begin(name, params, uri, experiment))

    def _begin(self, name: str, params: Mapping, uri: str | None, experiment: str) -> None:
        self.store = self.store or open_store(uri, experiment)
        self.run_id = self.store.start(name, params)

    def watch(self, row: Mapping) -> None:
        """Log a row of the history; its ``step`` is the step.

        Args:
            row: name → number.
        """
        if self.run_id is not None:
            numbers = {name: value for name, value in row.items() if name != "step"}
            self._try(lambda: self.store.log(self.run_id, numbers, row.get("step", 0)))

    def __enter__(self) -> "Tracker":
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self.run_id is not None:
            status = "FINISHED" if kind is None else "KILLED" if kind is KeyboardInterrupt else "FAILED"
            self._try(lambda: self.store.end(self.run_id, status))

    def _try(self, work: Callable[[], None]) -> None:
        if self._failures >= MOST_FAILURES:
            return
        try:
            work()
            self._failures = 0
        except Exception as error:  # a full disk, a locked file, a server that is gone: none may cost a training
            self._failures += 1
            if not self._warned:
                self._warned = True
                warnings.warn(
                    f"tracking does not work ({type(error).__name__}: {error}); the training goes on without",
                    stacklevel=4,
                )
