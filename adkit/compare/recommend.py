"""Which method to take for *these* images: several are fitted, judged without the test part, and the best is returned.

There is no rule from a name or a size to a method. Each candidate is fitted to the training images, as far as the time
allows, and judged on validation normals that drift and carry defects of types that no training has shown
(:mod:`adkit.defects.stand_in`); only the encoder of the PatchCore below has learned to repair all types. What that can
say is bounded by how much such defects resemble the real ones.
"""

import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from adkit.compare.budget import Clock, as_seconds, seconds_of_fusion, shortened
from adkit.compare.images import describe_images
from adkit.data import Splits
from adkit.data.samples import NORMAL
from adkit.defects.stand_in import StandIn, stand_ins
from adkit.detectors.arguments import check_splits
from adkit.detectors.base import Detector
from adkit.detectors.fusion import MEMBERS, FusionDetector
from adkit.detectors.prediction import Predictions
from adkit.detectors.registry import detector_class, known_methods
from adkit.experiments.draws import Draws
from adkit.experiments.evaluation import judge_predictions
from adkit.metrics import Interval
from adkit.metrics.intervals import interval_of
from adkit.runtime.progress import progress

TAUGHT = MEMBERS[2]["defects"]  # a mixture of the types that no stand-in has
# of different families: a bank of filters, a learned segmentation, a repairing network that has seen drift and one that
# has not, and a memory of patches
CANDIDATES = (
    *MEMBERS,
    {"method": "latent", "defects": TAUGHT},
    {"method": "patchcore", "backbone": "own", "reference": "image", "score": "max", "own": {"drift": 1.0}},
)
FUSION = "fusion"
RECOMMENDED = "recommended"  # mixture of defects, of all types
# a strip of 4096 x 256 pixels in a second
PIXELS_PER_SECOND = 2**20
# of PRO: a faster method that is so near is named beside a slow one
NEAR = 0.02
LEVEL = 0.95
# settings that tell apart candidates of one method
TOLD = ("drift", "surroundings")


@dataclass(frozen=True)
class Candidate:
    """One method, fitted and judged, or the reason why not.

    Attributes:
        name: of the method.
        detector: fitted; None where it was left out.
        quality: mean of macro PRO and macro pixel AP on the stand-ins, with a 95 % bootstrap interval over them.
        pro, ap: the two, in [0, 1].
        fit_seconds, seconds_per_frame: wall time on this machine.
        note: what was shortened, or why it is missing.
    """

    name: str
    detector: Detector | None = None
    quality: Interval | None = None
    pro: float | None = None
    ap: float | None = None
    fit_seconds: float | None = None
    seconds_per_frame: float | None = None
    note: str = ""
    draws: np.ndarray | None = None


@dataclass(frozen=True, repr=False)
class Recommendation:
    """What to use, and why.

    Attributes:
        method: name of the recommended method.
        detector: fitted, with thresholds.
        reason: in sentences: why this one, how sure that is, what it costs.
        candidates: everything that was tried, the best first.
        images: what is known of the set: number of images, sizes, and ``texture`` or ``object``.
        seconds: wall time that it took.
    """

    method: str
    detector: Detector
    reason: str
    candidates: list[Candidate]
    images: dict
    seconds: float

    @property
    def table(self) -> str:
        """The candidates as Markdown."""
        lines = ["| method | PRO | pixel AP | quality | fit, s | s a frame | |", "|---|---|---|---|---|---|---|"]
        for one in self.candidates:
            if one.detector is None:
                lines.append(f"| {one.name} | – | – | – | – | – | {one.note} |")
                continue
            numbers = (
                f"{one.pro:.3f} | {one.ap:.3f} | {one.quality} | {one.fit_seconds:.1f} | {one.seconds_per_frame:.3f}"
            )
            lines.append(f"| {one.name} | {numbers} | {one.note} |")
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.reason}\n\n{self.table}"

    __repr__ = __str__


def recommend(
    splits: Splits,
    budget: str | float = "10 min",
    *,
    candidates: Sequence[str | Mapping] = CANDIDATES,
    drift: float = 1.0,
    seed: int = 0,
    device: str = "auto",
    quiet: bool = False,
) -> Recommendation:
    """Fit and judge what the time allows, and return the best of it, fitted.

    The first candidate always runs. Trainings that would take too long are shortened to as many steps as fit, and left
    out where that would be fewer than 50. The fusion of all that was fitted is a candidate, too.

    Args:
        splits: of :func:`adkit.load_dataset`; the test part is not looked at.
        budget: wall time on this machine, such as ``"1 min"``, ``"10 min"``, ``"1 h"``, or seconds.
        candidates: methods by name, or dicts of a method and its settings; the first one is what always runs. Where
            one would train with the recommended mixture of defects, which has the types that it is judged by, it
            trains with the other types.
        drift: how much light, contrast and focus of the images to come may differ from these, see
            :class:`adkit.data.drift.Drift`; 0: camera and light never change.
        seed: whole number.
        device: auto, cpu, cuda, cuda:N or mps.
        quiet: show no progress.

    Raises:
        TypeError: if it is not given splits.
        ValueError: if the budget cannot be read, a method is unknown, or there is no normal image to choose by.

    Example:
        >>> from adkit import load_dataset
        >>> tiny = {"method": "autoencoder", "width": 4, "steps": 5, "crop": 32}
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> found = recommend(splits, "1 min", candidates=["filterbank", tiny], quiet=True)
        >>> found.method in ("filterbank", "autoencoder", "fusion"), found.method == found.candidates[0].name
        (True, True)
    """
    check_splits(splits, "recommend")
    clock, images = Clock(as_seconds(budget)), stand_ins(splits.validation, drift=drift, seed=seed)
    plan = [_named(entry) for entry in candidates]
    if unknown := [method for method, _ in plan if method not in known_methods()]:
        raise ValueError(f"unknown method {', '.join(unknown)}; known: {', '.join(known_methods())}")
    judged: list[Candidate] = []
    for number, (method, settings) in enumerate(progress(plan, "candidates", quiet=quiet)):
        detector = _taught_apart(method, {"seed": seed, "device": device, "quiet": True} | settings)
        share = clock.share(len(plan) - number)
        judged.append(_try(method, detector, splits, images, share, required=not number))
    fitted = [one.detector for one in judged if one.detector is not None]
    frame = sum(one.seconds_per_frame or 0.0 for one in judged)
    if len(fitted) > 1 and clock.left > seconds_of_fusion(len(images), frame):
        judged.append(_fuse(fitted, splits, images, judged, drift=drift, seed=seed, device=device))
    judged.sort(key=lambda one: -one.quality.value if one.quality else 1.0)
    known = describe_images(splits)
    best = judged[0]
    return Recommendation(best.name, best.detector, reason(judged, known), judged, known, clock.passed)


def _named(entry: str | Mapping) -> tuple[str, dict]:
    own = {"method": entry} if isinstance(entry, str) else dict(entry)
    return own.pop("method", ""), own


def _taught_apart(method: str, settings: dict) -> Detector:
    """The detector; a network that repairs is not judged by the types that it has seen."""
    detector = detector_class(method)(**settings)
    if getattr(detector.settings, "defects", None) != RECOMMENDED:
        return detector
    return detector_class(method)(**settings | {"defects": TAUGHT})


def _try(
    name: str, detector: Detector, splits: Splits, images: list[StandIn], seconds: float, required: bool
) -> Candidate:
    """A candidate fitted and judged within some seconds, about, or the reason why not."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        try:
            detector, note = (detector, "") if required else shortened(detector, splits, images, seconds)
            if detector is None:
                return Candidate(name, note=note)
            start = time.perf_counter()
            detector.fit(splits.train, splits.validation)
            took = time.perf_counter() - start
        except (ImportError, ConnectionError, FileNotFoundError) as error:
            return Candidate(name, note=f"left out: {error}")
        set_to = [f"{key} {value:g}" for key in TOLD if (value := getattr(detector.settings, key, 0))]
        return judge_candidate(name, detector, images, took, ", ".join(filter(None, [*set_to, note])))


def _fuse(
    fitted: list[Detector], splits: Splits, images: list[StandIn], judged: list[Candidate], **settings
) -> Candidate:
    """All that was fitted as one, members left out where they spoil it."""
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        start = time.perf_counter()
        fusion = FusionDetector.of(fitted, splits.validation, quiet=True, **settings)
        took = time.perf_counter() - start
    tried = [one.name for one in judged if one.detector is not None]
    note = " + ".join(tried[place] for place in fusion.chosen)
    return judge_candidate(FUSION, fusion, images, took + sum(one.fit_seconds or 0 for one in judged), note)


def judge_candidate(name: str, detector: Detector, images: list[StandIn], fit_seconds: float, note: str) -> Candidate:
    """How well a fitted detector finds the defects of the stand-ins.

    Args:
        name: of the method.
        detector: fitted.
        images: of :func:`adkit.defects.stand_in.stand_ins`.
        fit_seconds: what the fit took.
        note: for the table.
    """
    start = time.perf_counter()
    found = [detector.judge(image.image, image.foreground) for image in images]
    seconds = (time.perf_counter() - start) / len(images)
    kinds = [image.kind for image in images]
    judged = Predictions(
        maps=[maps[0].numpy() for maps, _ in found],
        masks=[image.mask for image in images],
        scores=np.array([float(score) for _, score in found]),
        labels=np.array([int(kind != NORMAL) for kind in kinds]),
        kinds=kinds,
        paths=[str(number) for number in range(len(images))],
    )
    evaluation, draws = judge_predictions(judged, detector.threshold, detector.pixel_threshold)
    known = {kind: row for kind, row in evaluation.by_kind.items() if row["pro"] is not None}
    pro, ap = (statistics.fmean(row[metric] for row in known.values()) for metric in ("pro", "pixel_ap"))
    drawn = quality_draws(draws, list(known))
    quality = interval_of((pro + ap) / 2, drawn, LEVEL)
    return Candidate(name, detector, quality, pro, ap, fit_seconds, seconds, note, drawn)


def quality_draws(draws: Draws, kinds: Sequence[str]) -> np.ndarray:
    """The quality on each sample of the stand-ins, (n,): mean over types of the mean of PRO and pixel AP.

    Args:
        draws: of the evaluation on the stand-ins.
        kinds: types of defect that have a PRO.
    """
    # a sample may hold no image of a type
    return np.nanmean([(draws.of("pro", kind) + draws.of("pixel_ap", kind)) / 2 for kind in kinds], axis=0)


def reason(judged: Sequence[Candidate], known: dict) -> str:
    """Why the first of the candidates is recommended, how sure that is, and what it costs.

    Args:
        judged: the best first.
        known: of :func:`describe_images`.
    """
    best, *others = [one for one in judged if one.detector is not None]
    parts = [
        f"{best.name} finds the synthetic defects on these {known['kind']} images best: PRO {best.pro:.3f}, pixel AP "
        f"{best.ap:.3f}, {1000 * best.seconds_per_frame:.0f} ms a frame."
    ]
    if others:
        second = others[0]
        gap = interval_of(best.quality.value - second.quality.value, best.draws - second.draws, LEVEL)
        verdict = "is separated from 0" if gap.low > 0 else "is not separated from 0: either may be better"
        parts.append(f"Next is {second.name} (PRO {second.pro:.3f}); the difference in quality, {gap}, {verdict}.")
    if known["kind"] == "object":
        parts.append("The images look aligned, so a place may be normal only where it is; check parts that move.")
    rate = known["pixels"] / best.seconds_per_frame
    if rate < PIXELS_PER_SECOND:
        near = [one for one in others if one.pro >= best.pro - NEAR and one.seconds_per_frame < best.seconds_per_frame]
        slow = f"A strip of 4096 x 256 pixels would take it {PIXELS_PER_SECOND / rate:.1f} s"
        fastest = min(near, key=lambda one: one.seconds_per_frame, default=None)
        parts.append(
            f"{slow}; {fastest.name}, {1000 * fastest.seconds_per_frame:.0f} ms a frame, is within {NEAR} PRO."
            if fastest else f"{slow}, and nothing faster is within {NEAR} PRO."
        )  # fmt: skip
    if known["validation"] < 5:
        parts.append(f"Only {known['validation']} validation images chose: take more before you rely on it.")
    return " ".join(parts)
