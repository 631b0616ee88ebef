"""What a notebook needs to teach: claims that its default run must keep, checked answers, and its results on disk.

Everything prints plain text or HTML, so that it reads the same live, in a saved notebook and in a batch run.
"""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from adkit.course.cards import Card, markup, show
from adkit.course.checks import check, help_with
from adkit.course.guesses import Guess
from adkit.course.pace import expected_seconds, step_seconds
from adkit.course.parameters import PLACES, digest, given
from adkit.course.plain import plain
from adkit.course.quizzes import question
from adkit.course.written import told
from adkit.experiments.cache import fetched_time
from adkit.runtime import fast_mode, home, resolve_device
from adkit.runtime.console import say
from adkit.runtime.progress import duration
from adkit.runtime.provenance import loaded_modules, source_fingerprint, versions
from adkit.runtime.serialization import write_json

SCOPES = ("default", "always")
MODES = {
    "fast": "fast mode: it shows that every cell runs, not what it finds",
    "default": "default run: claims are enforced",
    "custom": "own parameters: claims are only reported",
}


class ClaimError(AssertionError):
    """The default run does not show what the lesson says."""


@dataclass
class Lesson:
    """A lesson under way, as `begin` starts it: what it has claimed and asked so far, and its results at the end.

    Attributes:
        name: name of the notebook.
        parameters: parameters of this run.
        mode: ``default`` (claims are enforced), ``fast`` or ``custom``.
        out: folder for ``results.json``; None: the notebook's name under ``ADKIT_HOME``.
        device: device of this run.
        claims: text → what was claimed; a cell that runs again replaces its claim.
        guesses: question → the learner's guess.
        began: when it began, in seconds of a clock of its own.
        fetched: seconds of trainings that were found on disk before it began.
    """

    name: str = "lesson"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mode: str = "custom"
    out: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    claims: dict[str, dict] = field(default_factory=dict)
    guesses: dict[str, Guess] = field(default_factory=dict)
    began: float = field(default_factory=time.perf_counter)
    # seconds of results that were fetched before it began
    fetched: float = field(default_factory=lambda: fetched_time.total)

    check = staticmethod(check)
    help = staticmethod(help_with)
    question = staticmethod(question)
    told = staticmethod(told)

    def claim(self, text: str, condition: Any, scope: str = "default", value: Any = None, limit: Any = None) -> None:
        """Say something that this run could contradict, and check it.

        Args:
            text: the sentence.
            condition: whether it holds: a bool, or an array or tensor of one.
            scope: ``default``: enforced in the default run, else reported; ``always``: a claim about code, enforced in
                any run.
            value: the number behind the sentence; None: there is none.
            limit: what the number was compared with; value and limit give the margin, negative where the claim fails.

        Raises:
            ClaimError: if an enforced claim does not hold.
            ValueError: if the scope is unknown.

        Example:
            >>> lesson = Lesson()
            >>> lesson.claim("the map has the image's size", (176, 976) == (176, 976), scope="always")
            ✓ holds: the map has the image's size
            >>> lesson.claim("brightness shifts stay near chance", 0.61 < 0.65, value=0.61, limit=0.65)
            ✓ holds: brightness shifts stay near chance (0.61; must be below 0.65)
        """
        bound = ""
        if value is not None and limit is not None and value != limit:
            bound = "above" if (value > limit) == bool(condition) else "below"
        self._claim(text, condition, scope, value, limit, bound)

    def _claim(self, text: str, condition: Any, scope: str, value: Any, limit: Any, bound: str) -> None:
        if scope not in SCOPES:
            raise ValueError(f"scope must be one of {', '.join(SCOPES)}, got {scope!r}")
        holds = bool(condition)
        record = {"text": text, "holds": holds, "scope": scope, "value": None, "limit": None, "margin": None}
        record |= {key: float(number) for key, number in (("value", value), ("limit", limit)) if number is not None}
        if value is not None and limit is not None:
            record["margin"] = abs(record["value"] - record["limit"]) * (1 if holds else -1)
        self.claims[text] = record
        numbers = [f"{record['value']:.4g}"] if value is not None else []
        numbers += [f"{f'must be {bound}' if bound else 'limit'} {record['limit']:.4g}"] if limit is not None else []
        said = text + (f" ({'; '.join(numbers)})" if numbers else "")
        if not holds and (scope == "always" or self.mode == "default"):
            raise ClaimError(
                f"does not hold: {said}. If the experiment shows otherwise, change the story, not the limit"
            )
        told = f"✓ holds: {said}" if holds else f"✗ does not hold here: {said}"
        shown = f'<span style="opacity: 0.75">{markup(told)}</span>' if holds else f"<b>{markup(told)}</b>"
        show(Card(told, shown, "quiet" if holds else "wrong"))

    def claim_above(self, text: str, value: float | None, limit: float, scope: str = "default") -> None:
        """Claim that a number lies above a limit.

        Args:
            text: the sentence.
            value: the number; one that this run could not measure (None, NaN) does not lie above anything.
            limit: a number in the same unit.
            scope: ``default`` or ``always``, see `claim`.

        Raises:
            ClaimError: if an enforced claim does not hold.

        Example:
            >>> Lesson().claim_above("better than a coin", 0.7, 0.5)
            ✓ holds: better than a coin (0.7; must be above 0.5)
        """
        self._claim(text, value is not None and value > limit, scope, value, limit, "above")

    def claim_below(self, text: str, value: float | None, limit: float, scope: str = "default") -> None:
        """Claim that a number lies below a limit.

        Args:
            text: the sentence.
            value: the number; one that this run could not measure (None, NaN) does not lie below anything.
            limit: a number in the same unit.
            scope: ``default`` or ``always``, see `claim`.

        Raises:
            ClaimError: if an enforced claim does not hold.
        """
        self._claim(text, value is not None and value < limit, scope, value, limit, "below")

    def predict_first(self, question: str, guess: Any = None) -> Guess:
        """Note the learner's guess before the run; ``reveal(measured)`` of what comes back compares.

        Args:
            question: what is asked.
            guess: the learner's answer, a number or a text; None: none yet.

        Example:
            >>> guess = Lesson().predict_first("Which defect type is hardest?", guess="dots")
            Which defect type is hardest? Your guess: dots
            >>> guess.reveal("brightness")
            Which defect type is hardest?
            your guess: dots
            measured: brightness
            a surprise
        """
        say(f"{question} Your guess: {'none yet' if guess is None else told(guess)}")
        self.guesses[question] = Guess(question, guess)
        return self.guesses[question]

    def finish(self, results: Mapping[str, Any]) -> Path:
        """Write ``results.json``, whole or not at all, and print how the claims went.

        Args:
            results: what the lesson measured: numbers, texts, lists, dicts, arrays, tensors, dataclasses. NaN and
                infinity become null, so that the file is strict JSON.

        Returns:
            The file's path.

        Raises:
            TypeError: if ``results`` holds something that JSON cannot.

        Example:
            >>> import tempfile
            >>> lesson = begin("toy", {}, default=False, out=Path(tempfile.mkdtemp()) / "toy")  # doctest: +ELLIPSIS
            toy · ...
            >>> path = lesson.finish({"auroc": float("nan")})  # doctest: +ELLIPSIS
            toy/results.json written: 0 claims hold, 0 do not; ...
            >>> json.loads(path.read_text())["results"]
            {'auroc': None}
        """
        seconds, sources = time.perf_counter() - self.began, loaded_modules()
        written = {
            "name": self.name,
            "mode": self.mode,
            "parameters": plain(self.parameters, "parameters"),
            "claims": plain(list(self.claims.values()), "claims"),
            "predictions": plain(list(self.guesses.values()), "predictions"),
            "results": plain(results, "results"),
            "seconds": round(seconds, 1),
            # Of trainings that were not run again.
            "fetched_seconds": round(fetched_time.total - self.fetched, 1),
            # of a fixed training on this machine, so that another one can tell what it will take there
            "step_seconds": None if self.mode == "fast" else round(step_seconds(str(self.device)), 4),
            "device": {
                "type": self.device.type,
                "name": device_name(self.device),
                "threads": torch.get_num_threads(),
            },
            "versions": versions(),
            "sources": sources,
            "fingerprint": source_fingerprint(sources),
        }
        path = (self.out or home() / self.name) / "results.json"
        write_json(path, written)
        holding = sum(record["holds"] for record in self.claims.values())
        counts = f"{holding} claims hold, {len(self.claims) - holding} do not"
        say(f"{path.parent.name}/{path.name} written: {counts}; {duration(seconds)}")
        return path


def begin(
    name: str, parameters: Mapping[str, Any], default: bool | str = False, out: str | Path | None = None
) -> Lesson:
    """Start a lesson and print one line: device, mode, and how long the default run should take here.

    Args:
        name: name of the notebook, such as ``01_phase1_baseline``.
        parameters: the notebook's ``globals()``, of which the names are taken that its parameters cell annotates
            (``steps: int = 400``); or the parameters of this run as a dict. ``device`` among them is resolved as
            :func:`adkit.runtime.resolve_device` does.
        default: True in the default run on the textile, where claims are enforced (never in fast mode); or the
            ``digest`` of the default run's parameters, to compare these with.
        out: folder for ``results.json``; None: the parameter ``out``, and where that is missing or empty, the
            notebook's name under ``ADKIT_HOME``, else under ``./runs``.

    Returns:
        The lesson, with which cells claim, ask and finish.

    Raises:
        ValueError: if ``parameters`` are the globals of a notebook that annotates none, or a batch run has set one that
            it does not know, or one to a value of another type.

    Example:
        >>> lesson = begin("toy", {"device": "cpu", "seed": 1})  # doctest: +ELLIPSIS
        toy · ... · own parameters: claims are only reported
    """
    # Globals know the name of their module, and no parameter is called so.
    if "__name__" in parameters:
        parameters = given(parameters)
    default = digest(parameters) == default if isinstance(default, str) else default
    mode = "fast" if fast_mode() else "default" if default else "custom"
    device = resolve_device(parameters.get("device", "auto"))
    out = out or parameters.get("out")
    folder = Path(out).expanduser().absolute() if out else None
    kept = {key: value for key, value in parameters.items() if key not in PLACES}
    noted = "" if mode == "fast" else _noted_time(name, device)
    line = [name, device_name(device), MODES[mode], noted]
    say(" · ".join(filter(None, line)))
    return Lesson(name, kept, mode, folder, device)


def device_name(device: torch.device) -> str:
    """A device as a person knows it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} ({platform.processor() or platform.machine()})"


def _noted_time(name: str, device: torch.device) -> str:
    """How long the default run should take here, by the committed one, whose results lie beside the notebook."""
    for folder in (Path("results"), Path("notebooks/results")):
        path = folder / f"{name}.json"
        if path.is_file():
            noted = json.loads(path.read_text(encoding="utf-8"))
            whole = noted["seconds"] + noted.get("fetched_seconds", 0.0)
            seconds = expected_seconds(whole, noted.get("step_seconds"), step_seconds(str(device)))
            return f"the default run takes about {duration(seconds)} here, less with trainings on disk"
    return ""
