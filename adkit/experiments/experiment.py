"""One experiment, described by literals, run once, and kept under the hash of all that it depends on.

The address of a result is the hash of its configuration (fast mode among it), of the images, and of the adkit sources
that the run imports. So running a notebook cell again costs nothing, a changed setting or loss function runs afresh,
and two notebooks that ask for the same experiment share one result. The training has an address of its own, of what it
depends on: a changed metric judges the detector anew that a changed loss would train anew, see
:mod:`adkit.experiments.fitted`.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache, partial
from pathlib import Path

from adkit.data import Splits, load_dataset
from adkit.data.load import check_options
from adkit.detectors.base import Detector
from adkit.detectors.registry import detector_class
from adkit.detectors.settings import Settings, setting_names, unknown_settings
from adkit.detectors.storage import load_detector
from adkit.experiments import cache
from adkit.experiments.arguments import RULES, checked_data
from adkit.experiments.draws import Draws
from adkit.experiments.evaluation import Evaluation, judge
from adkit.experiments.fitted import DETECTOR, UNCOUNTED, detector_key, detector_once, link_folder
from adkit.experiments.sources import FIT, source_hash, with_own_defects
from adkit.experiments.synthetic_validation import synthetic_validation_metrics
from adkit.runtime import fast_mode
from adkit.runtime.processes import led, process_count

SELECTION = ("auroc", "ap", "pro")


@dataclass(frozen=True)
class Experiment:
    """What to run: data, method, the method's settings, seed.

    Args:
        method: one of :func:`adkit.detectors.registry.known_methods`, a registered method of your own among them.
        settings: keyword arguments of the method's detector, all literals.
        seed: whole number, of the training. The data keep their own, so that seeds differ in learning, not in images.
        dataset: name of a set, such as ``textile``; it and what follows go to :func:`adkit.load_dataset`.
        root: folder where the images lie; None: a set that is made.
        category: a name or a list of names; None: all that the set has.
        image_size: side, or (height, width), in pixels; None: the set's own.
        channels: 1 or 3; None: the set's own.
        tile: side, or (height, width), of tiles in pixels; None: whole images.
        overlap: pixels that neighbouring tiles share at least; None: a quarter of the tile.
        data_seed: whole number, of the split, and of the images themselves where a set is made.
        data_options: options of this set alone, literals, such as the textile's ``{"sizes": [24, 96]}``.

    Raises:
        ValueError: if the method, a setting or the set is unknown, or a value is no literal or out of its range.
        TypeError: if the set has no such option.

    Example:
        >>> Experiment(settings={"loss": "mse + 0.5*ssim"}, seed=1).label
        'autoencoder, loss=mse + 0.5*ssim'
    """

    method: str = "autoencoder"
    settings: Mapping = field(default_factory=dict)
    seed: int = 0
    dataset: str = "textile"
    root: str | Path | None = None
    category: str | list[str] | None = None
    image_size: int | tuple[int, int] | None = None
    channels: int | None = None
    tile: int | tuple[int, int] | None = None
    overlap: int | None = None
    data_seed: int = 0
    data_options: Mapping = field(default_factory=dict)

    def __post_init__(self):
        if not isinstance(self.settings, Mapping):
            raise ValueError(f"settings must be a dict of the detector's settings, got {self.settings!r}")
        check_options(self.dataset, self.data_options)
        known = [name for name in setting_names(self.detector_class.settings_class) if name != "seed"]
        if unknown := [name for name in self.settings if name not in known]:
            own = [entry.name for entry in fields(self) if entry.name != "settings"]
            raise ValueError(
                f"{unknown_settings(unknown, known, self.method)} (data and seed are arguments of Experiment itself); "
                f"those are {', '.join(own)}"
            )
        # refuses wrong values now, before any data are read; they are copied, so later changes of the argument are lost
        checked = self.all_settings()
        object.__setattr__(self, "settings", {name: checked[name] for name in self.settings})
        for name, value in checked_data({name: getattr(self, name) for name in RULES}).items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "root", self.root and str(self.root))
        object.__setattr__(self, "data_options", json.loads(json.dumps(dict(self.data_options))))

    def __hash__(self) -> int:
        return hash(json.dumps(asdict(self), sort_keys=True))

    @property
    def detector_class(self) -> type[Detector]:
        """The class that the method's name stands for."""
        return detector_class(self.method)

    def all_settings(self) -> Settings:
        """The settings of the detector, the defaults too, and the seed among them."""
        return self.detector_class.settings_class(**self.settings, seed=self.seed)

    @property
    def label(self) -> str:
        """The method and the settings that were chosen, without the seed and what changes nothing in the result."""
        chosen = [f"{name}={value}" for name, value in self.settings.items() if name not in UNCOUNTED]
        return ", ".join([self.method, *chosen])

    def detector(self) -> Detector:
        """A fresh, unfitted detector."""
        return self.detector_class(**self.settings, seed=self.seed)

    def splits(self) -> Splits:
        """The data; loaded once in a process, and again where files under ``root`` have changed."""
        names = ("root", "category", "image_size", "channels", "tile", "overlap")
        options = {name: getattr(self, name) for name in names} | {"seed": self.data_seed, **self.data_options}
        return _load(self.dataset, json.dumps(options), _files(self.root))

    def describe(self) -> dict:
        """The configuration as plain data: all settings, the defaults too, but those that change nothing."""
        settings = asdict(self.all_settings())
        counted = {name: value for name, value in settings.items() if name not in UNCOUNTED}
        described = asdict(self) | {"settings": counted, "fast": fast_mode()}
        if not self.data_options:  # results from before there were any keep their address
            described.pop("data_options")
        return described

    def variant(self, **changes) -> "Experiment":
        """The same experiment with some settings, data fields, the seed or the method changed.

        Args:
            changes: fields of an experiment by name; every other name is a setting, and joins those that are there.
                ``settings`` replaces all of them, which another method needs. ``overlap`` is that of the tiles; the
                setting of the VAE goes into ``settings``.

        Raises:
            ValueError: as an experiment does; a name that is neither is refused with the known ones.

        Example:
            >>> base = Experiment(settings={"width": 8}, category="denim")
            >>> other = base.variant(loss="l1", seed=1)
            >>> other.label, other.seed, other.category
            ('autoencoder, width=8, loss=l1', 1, 'denim')
        """
        names = [entry.name for entry in fields(self)]
        changed = {name: value for name, value in changes.items() if name in names}
        settings = {name: value for name, value in changes.items() if name not in names}
        return replace(self, **changed | {"settings": {**changed.get("settings", self.settings), **settings}})

    def key(self) -> dict:
        """All that the result depends on: configuration, images and sources, and how many processes train together."""
        described = self.describe()
        described.pop("root")  # the images count, not where they lie
        if (processes := process_count()) > 1:  # that train it together, each on crops of its own
            described["processes"] = processes
        sources = with_own_defects(source_hash(self.detector_class, self.dataset), described["settings"])
        return described | {"data": self.splits().fingerprint, "sources": sources}

    def address(self) -> str:
        """Hash of configuration, images and sources: the name under which the result is kept."""
        return cache.address(self.key())

    def fit_address(self) -> str:
        """Hash of what the training alone depends on: the name under which the fitted detector is kept."""
        splits = self.splits()
        return cache.address(detector_key(self.detector(), splits.train, splits.validation, self.fit_sources()))

    def fit_sources(self, owner: type[Detector] | None = None) -> str:
        """Hash of the sources that the training runs.

        Args:
            owner: class of the detector; None: that of the method.
        """
        return source_hash(owner or self.detector_class, self.dataset, FIT)


@dataclass(frozen=True)
class Result:
    """What an experiment left behind.

    Attributes:
        experiment: its configuration.
        evaluation: on the test part, see :class:`adkit.experiments.Evaluation`.
        selection: ``auroc``, ``ap`` and ``pro`` on validation normals with synthetic defects, see
            :func:`adkit.experiments.synthetic_validation.synthetic_validation_metrics`; what a choice may be made by.
        history: of training.
        seconds: what fitting and evaluating took when they were really run.
        path: folder with ``result.json`` and the fitted ``detector/``.
        from_cache: whether it was found on disk; False where this call trained, or only judged anew what was trained.
        draws: the numbers of the evaluation on bootstrap samples of the test part.
    """

    experiment: Experiment
    evaluation: Evaluation
    selection: dict[str, float]
    history: list[dict]
    seconds: dict[str, float]
    path: Path
    from_cache: bool = field(default=False, compare=False)
    draws: Draws = field(default_factory=Draws, compare=False, repr=False)

    def detector(self) -> Detector:
        """The fitted detector, loaded from disk."""
        return load_detector(self.path / DETECTOR, device=self.experiment.settings.get("device", "auto"))


def run(experiment: Experiment, force: bool = False, quiet: bool = False) -> Result:
    """Run an experiment, or fetch its result where it was run before.

    A run that was killed goes on from its last checkpoint when it is asked for again, and of processes that ask at the
    same time one runs it, see :mod:`adkit.experiments.cache`. Processes that were launched together (``accelerate
    launch``) train it together; the first one judges and keeps it.

    Args:
        experiment: what to run.
        force: train and judge even if there is a result, and replace it.
        quiet: show no progress.

    Raises:
        TypeError: if it is no experiment.

    Example:
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> 0 <= run(tiny, quiet=True).evaluation.image_auroc <= 1
        True
    """
    if not isinstance(experiment, Experiment):
        raise TypeError(f"run takes an Experiment, got a {type(experiment).__name__}: run(Experiment(seed=1))")
    key, fit = experiment.key(), partial(_fit, experiment, force)

    def work(part: Callable[[bool], cache.Entry]) -> cache.Entry:
        return cache.cached("results", key, lambda folder: _judge_fitted(experiment, part(quiet), folder, quiet), force)

    entry = led(work, fit)
    stored, evaluation = entry.content, Evaluation.from_dict(entry.content["evaluation"])
    measured = stored["selection"], stored["history"], stored["seconds"]
    draws = Draws.from_dict(stored.get("draws"))
    return Result(experiment, evaluation, *measured, entry.folder, entry.from_cache, draws)


def _fit(experiment: Experiment, force: bool, quiet: bool) -> cache.Entry:
    """The fitted detector; several processes that were launched together fit it together."""
    splits, unfitted = experiment.splits(), experiment.detector()
    unfitted.quiet = quiet or unfitted.quiet
    data = unfitted, splits.train, splits.validation
    return detector_once(*data, experiment.fit_sources(), force, experiment.fit_sources)


def _judge_fitted(experiment: Experiment, fitted: cache.Entry, folder: Path, quiet: bool) -> dict:
    """Judge a fitted detector, leave it in the folder, and return what else is kept of it."""
    splits, device = experiment.splits(), experiment.all_settings().device
    detector = load_detector(fitted.folder / DETECTOR, device=device)
    detector.quiet = quiet or detector.quiet
    start = time.perf_counter()
    evaluation, draws = judge(detector, splits.test)
    seconds = {**fitted.content["seconds"], "evaluate": time.perf_counter() - start}
    selection = synthetic_validation_metrics(detector, splits.validation)
    link_folder(fitted.folder / DETECTOR, folder / DETECTOR)
    return {
        "experiment": experiment.describe(),
        "evaluation": evaluation.as_dict(),
        "draws": draws.as_dict(),
        "selection": {name: getattr(selection, name) for name in SELECTION},
        "history": detector.history,
        "seconds": seconds,
    }


@lru_cache(maxsize=4)
def _load(dataset: str, options: str, files: tuple) -> Splits:
    return load_dataset(dataset, **json.loads(options))


def _files(root: str | None) -> tuple[tuple[str, int, int], ...]:
    """Name, length and time of every file under a folder: they tell whether what is loaded is still what lies there."""
    files = sorted(path for path in Path(root).expanduser().rglob("*") if path.is_file()) if root else []
    return tuple((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files)
