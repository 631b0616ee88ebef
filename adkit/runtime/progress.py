"""A progress line that reads well live, in a log and in a saved notebook: in place while it runs, about ten plain lines
after. Results that were found and not made tell nothing of the time that is left.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from adkit.runtime import interactive_mode
from adkit.runtime.console import say

REFRESH = 0.2  # seconds between live updates


@dataclass
class Work:
    """How many results this process has made, and how many it found made: :mod:`adkit.experiments.cache` counts them.

    Attributes:
        made: results that took their time.
        fetched: results that were found on disk.
    """

    made: int = 0
    fetched: int = 0

    def note(self, fetched: bool) -> None:
        """Count one result.

        Args:
            fetched: it was found.
        """
        self.fetched += fetched
        self.made += not fetched


work = Work()


class Progress:
    """Tell how far a run is: in place in a terminal and in JupyterLab, else a line at about every tenth of the way.

    Args:
        total: number of steps, at least 1.
        label: in front of every line.
        start: the step that a resumed run begins with, so that its speed is right.
        quiet: show nothing.
        stream: where to write; default: standard output.

    Raises:
        ValueError: if ``total`` is below 1.

    Example:
        >>> with Progress(3, "denim · mse") as progress:
        ...     progress.update(3, loss=0.01234)  # doctest: +ELLIPSIS
        denim · mse  step 3/3  loss 0.01234 ...
    """

    def __init__(self, total: int, label: str = "", start: int = 0, quiet: bool = False, stream=None):
        if total < 1:
            raise ValueError(f"total must be at least 1 step, got {total}")
        self.total, self.label, self.start = total, label, start
        self.values: dict = {}
        # steps that only fetched a result, and their seconds; the counts at the last step
        self.fetched, self.fetched_seconds, self.seen = 0, 0.0, replace(work)
        self.stepped = time.perf_counter()
        self.began, self.shown, self.tenth = time.perf_counter(), 0.0, 10 * start // total
        self.view = _Silent() if quiet else _view(stream or sys.stdout)

    def update(self, step: int, **values) -> None:
        """Say that ``step`` steps are done; numbers or one-element tensors are shown by their names until replaced.

        A tensor is only read when a line is drawn, so a GPU is not kept waiting at every step.
        """
        self.values |= values
        tenth, now = 10 * step // self.total, time.perf_counter()
        if work.fetched > self.seen.fetched and work.made == self.seen.made:
            self.fetched += 1
            self.fetched_seconds += now - self.stepped
        self.seen, self.stepped = replace(work), now
        if tenth > self.tenth:
            self.tenth = tenth
            self.view.keep(self.line(step, now))
        elif now - self.shown > REFRESH and self.view.live:
            self.view.show(self.line(step, now))
        else:
            return
        self.shown = now

    def line(self, step: int, now: float) -> str:
        """The text for a step: label, step, values, speed, and the time left (or taken, at the end).

        Steps that only fetched a result count for neither speed nor time left.
        """
        taken, done = max(now - self.began, 1e-9), step - self.start - self.fetched
        seconds = max(taken - self.fetched_seconds, 1e-9)
        numbers = [f"{name} {float(value):.4g}" for name, value in self.values.items()]
        rest = f"{duration(taken)} in all"
        if step < self.total:
            rest = f"{duration(seconds / done * (self.total - step))} left" if done else ""
        return "  ".join(filter(None, [self.label, self._counted(step), *numbers, _speed(done / seconds), rest]))

    def _counted(self, step: int) -> str:
        fetched = f" ({self.fetched} fetched)" if self.fetched else ""
        return f"step {step}/{self.total}{fetched}"

    def close(self) -> None:
        """End the line."""
        self.view.close()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error) -> None:
        self.close()


def progress(items: Iterable, label: str = "", total: int | None = None, quiet: bool = False) -> Iterator:
    """Go through ``items`` and tell how far.

    Args:
        items: anything to iterate over.
        label: in front of the line, such as what is going on; empty: nothing.
        total: number of items; None: ``len(items)``.
        quiet: show nothing.

    Raises:
        ValueError: if ``items`` has no length and ``total`` is not given.

    Example:
        >>> sum(progress([1, 2, 3], quiet=True))
        6
    """
    if total is None and not hasattr(items, "__len__"):
        raise ValueError(f"progress over a {type(items).__name__}, which has no length, needs total=")
    with Progress(max(len(items) if total is None else total, 1), label, quiet=quiet) as bar:
        for step, item in enumerate(items, start=1):
            yield item
            bar.update(step)


def duration(seconds: float) -> str:
    """A time as a person says it.

    Example:
        >>> [duration(s) for s in (0.4, 75, 4000)]
        ['0.4 s', '1 min 15 s', '1 h 06 min']
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _speed(rate: float) -> str:
    if rate <= 0:
        return ""
    return f"{rate:.3g} steps/s" if rate >= 1 else f"{1 / rate:.3g} s/step"


class _Silent:
    live = False

    def keep(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


class _Lines:
    """Plain lines, for files, batches and committed notebooks."""

    live = False

    def __init__(self, stream):
        self.stream = stream

    def keep(self, text: str) -> None:
        say(text, self.stream)

    def close(self) -> None:
        pass


class _Terminal:
    """One line, written over in place."""

    live = True

    def __init__(self, stream):
        self.stream, self.width = stream, 0

    def show(self, text: str) -> None:
        say("\r" + text.ljust(self.width), self.stream, end="")
        self.width = len(text)

    keep = show

    def close(self) -> None:
        if self.width:
            print(file=self.stream, flush=True)


class _Notebook:
    """One output that holds the lines of every tenth, and below them the live one; only the former stay."""

    live = True

    def __init__(self):
        self.lines: list[str] = []
        self.handle = None

    def show(self, text: str) -> None:
        self._draw([*self.lines, text])

    def keep(self, text: str) -> None:
        self.lines.append(text)
        self._draw(self.lines)

    def close(self) -> None:
        if self.handle:
            self._draw(self.lines)

    def _draw(self, lines: list[str]) -> None:
        from IPython.display import DisplayHandle

        content = {"text/plain": "\n".join(lines)}
        if self.handle:
            self.handle.update(content, raw=True)
        else:
            self.handle = DisplayHandle()
            self.handle.display(content, raw=True)


def _view(stream):
    """What suits the place: a terminal, a notebook somebody looks at, or plain lines.

    papermill, nbconvert and nbval run cells whose output nobody sees live: their log has a line of each message that is
    printed, and of an output that changes in place only the first state. They are known by allowing no input.
    """
    if stream.isatty():
        return _Terminal(stream)
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    kernel = getattr(shell, "kernel", None)
    if stream is sys.stdout and kernel is not None and getattr(kernel, "_allow_stdin", True) and interactive_mode():
        return _Notebook()
    return _Lines(stream)
