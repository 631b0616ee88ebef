"""New thresholds for a process that has changed: a proposal from normals that a person has confirmed, never a deed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from adkit.data.uploads import OWN_FILES, Limits
from adkit.deploy.judges import open_judge, reference_of
from adkit.deploy.monitoring.reference import Reference
from adkit.deploy.policies import find_policy
from adkit.deploy.report.rows import judge_folder, now
from adkit.scoring.policy import POLICY_FILE, Policy
from adkit.scoring.thresholds import Threshold, percentile

# with fewer normal images a high percentile is one of them
FEWEST = 20
# largest change of a threshold in one step, as a share of it
CAP = 0.2
# how far above the others, in robust standard deviations of the logarithm, a score is no normal's; and how many may be
OUTLYING, TOLERATED = 4.5, 0.03


class RetuningRefused(ValueError):
    """The normals will not do; the message says why, and which images to look at."""


@dataclass(frozen=True)
class Proposal:
    """New thresholds, beside the old ones.

    Attributes:
        policy: the new policy; its origin keeps the hash of the old one.
        old: the old policy.
        image: the new image threshold with its interval, before it was capped.
        capped: the wanted change was larger than one step allows.
        alarms_before, alarms_after: share of the normals that are flagged by the old and the new threshold.
        flips: names of images whose verdict changes.
        recommendation: in words.
    """

    policy: Policy
    old: Policy
    image: Threshold
    capped: bool
    alarms_before: float
    alarms_after: float
    flips: tuple[str, ...]
    recommendation: str

    def write(self, path: str | Path) -> Path:
        """Put the new policy in place of the old one, which stays as ``policy-<hash>.json`` beside it.

        Args:
            path: of the new policy; a folder gets a ``policy.json``.
        """
        path = Path(path)
        path = path / POLICY_FILE if path.is_dir() else path
        self.old.save(path.with_name(f"policy-{self.old.sha256[:12]}.json"))
        return self.policy.save(path)


def retune(
    detector, normals, old: Policy, *, confirmed: bool, cap: float = CAP, reference: Reference | None = None
) -> Proposal:
    """Propose thresholds from fresh normal images.

    Args:
        detector: fitted.
        normals: an :class:`adkit.data.AnomalyDataset` of normal images, prepared as those of the training.
        old: the policy of today.
        confirmed: whether a person has looked at these images and found them normal.
        cap: largest change of a threshold in one step, as a share of it.
        reference: what normal images looked like; None: the scores that the detector keeps, if any.

    Raises:
        RetuningRefused: if nobody has confirmed them, there are fewer than 20 sources, or some look like defects.
    """
    _require_confirmed(confirmed)
    maps, scores = detector.judge_images(normals)
    names = [Path(normals.paths[group[0]]).name for group in normals.groups()]
    sources = len(set(normals.sources))
    known = reference.scores if reference else detector.normals.get("scores", ())
    return propose(scores, maps, old, confirmed=confirmed, names=names, sources=sources, cap=cap, known=known)


def retune_folder(
    detector_dir: str | Path,
    folder: str | Path,
    out: str | Path | None = None,
    policy: Policy | str | Path | None = None,
    confirmed: bool = False,
    cap: float = CAP,
    quiet: bool = False,
    limits: Limits = OWN_FILES,
) -> Proposal:
    """Propose thresholds from a folder of fresh normal images; nothing is written unless it is asked for.

    Args:
        detector_dir: a saved detector, or an exported one.
        folder: normal images, confirmed by a person.
        out: where the new policy goes; None: nowhere.
        policy: the policy of today; None: the one beside the detector, else its own thresholds.
        confirmed: whether a person has looked at these images and found them normal.
        cap: largest change of a threshold in one step, as a share of it.
        quiet: show no progress.
        limits: of the images.

    Raises:
        RetuningRefused: as :func:`retune`; also if an image cannot be read.
    """
    _require_confirmed(confirmed)
    old, judge = find_policy(detector_dir, policy), open_judge(detector_dir)
    known = reference_of(detector_dir, judge.description)
    names, maps, scores = [], [], []
    for name, one in judge_folder(folder, judge, old, known, limits, quiet):
        if isinstance(one, dict):
            raise RetuningRefused(f"{name} cannot be read ({one['code']}); normals must all be whole images")
        if one.quality.faults:
            raise RetuningRefused(f"{name} is {one.quality.faults[0]}; the camera saw nothing, so take it out")
        names.append(name)
        maps.append(one.raw.anomaly_map)
        scores.append(one.raw.score)
    proposal = propose(
        scores, maps, old, confirmed=confirmed, names=names, cap=cap, known=known.scores if known else ()
    )
    if out is not None:
        proposal.write(out)
    return proposal


def propose(
    scores: Sequence[float],
    maps: Sequence[np.ndarray],
    old: Policy,
    *,
    confirmed: bool,
    names: Sequence[str],
    known: Sequence[float] = (),
    sources: int | None = None,
    cap: float = CAP,
    q: float = 95.0,
    pixel_q: float = 99.5,
) -> Proposal:
    """Propose thresholds from scores and maps of fresh normal images.

    Args:
        scores: of the images.
        maps: (H, W) each.
        old: the policy of today.
        confirmed: whether a person has found them normal.
        names: of the images.
        known: scores of the normals before, whose spread says what is usual; empty: not known.
        sources: number of independent images; None: all of them are.
        cap: largest change of a threshold in one step, as a share of it.
        q: percentile of the image threshold.
        pixel_q: percentile of the pixel threshold.

    Raises:
        RetuningRefused: as :func:`retune`.
    """
    scores = np.asarray(scores, float)
    sources = len(scores) if sources is None else sources
    _require_confirmed(confirmed)
    if sources < FEWEST:
        raise RetuningRefused(f"{sources} independent normal images are too few for a threshold; {FEWEST} are needed")
    if suspects := suspicious(scores, known):
        worst = ", ".join(names[i] for i in suspects[:5])
        raise RetuningRefused(
            f"{len(suspects)} of {len(scores)} images stand out as defects do; look at {worst}, and take defects out"
        )
    image = percentile(scores, q)
    pixels = float(np.percentile(np.concatenate([np.ravel(a_map) for a_map in maps]), pixel_q))
    wanted = {"image_threshold": image.value, "pixel_threshold": pixels}
    steps = {name: _step(getattr(old, name), value, cap) for name, value in wanted.items()}
    capped = any(steps[name] != value for name, value in wanted.items())
    share = steps["image_threshold"] / old.image_threshold if old.image_threshold else 1.0
    changes = {"review": None if old.review is None else tuple(end * share for end in old.review)}
    if old.high is not None and old.pixel_threshold:
        changes["high"] = old.high * steps["pixel_threshold"] / old.pixel_threshold
    origin = {
        "how": f"re-tuned on {len(scores)} confirmed normal images", "made": now(), "normals": len(scores),
        "image_threshold": asdict(image), "cap": cap, "previous": old.sha256,
    }  # fmt: skip
    origin |= {name: old.origin[name] for name in ("detector",) if name in old.origin}
    policy = replace(old, **steps, **changes, origin=origin)
    before, after = scores >= old.image_threshold, scores >= policy.image_threshold
    flips = tuple(names[i] for i in np.flatnonzero(before != after))
    return Proposal(
        policy,
        old,
        image,
        capped,
        float(before.mean()),
        float(after.mean()),
        flips,
        _advice(old, policy, image, capped),
    )


def _require_confirmed(confirmed: bool) -> None:
    if not confirmed:
        raise RetuningRefused("nobody has confirmed that these images are normal; look at them, then say so")


def suspicious(scores: np.ndarray, known: Sequence[float] = ()) -> list[int]:
    """Numbers of the images whose scores stand out among the others, the worst first; empty where that is usual.

    A drift moves all scores, and defects only some. So each is measured from the median of its own set, in robust
    standard deviations of the logarithm; the limit is what the known normals reach, and at least ``OUTLYING``.

    Args:
        scores: of images that are said to be normal.
        known: scores of normal images from before.
    """
    distance = _standardised(scores)
    usual = float(_standardised(np.asarray(known, float)).max(initial=0.0)) if len(known) >= FEWEST else 0.0
    out = np.flatnonzero(distance > max(OUTLYING, 1.2 * usual))
    # one image in so many may be anything
    return [] if len(out) <= max(1, TOLERATED * len(scores)) else sorted(out.tolist(), key=lambda i: -distance[i])


def _standardised(scores: np.ndarray) -> np.ndarray:
    logs = np.log(np.maximum(scores, np.finfo(float).tiny)) if (scores > 0).all() else scores
    spread = 1.4826 * np.median(np.abs(logs - np.median(logs))) if len(logs) else 1.0
    return (logs - np.median(logs)) / max(float(spread), 1e-9) if len(logs) else logs


def _step(old: float, wanted: float, cap: float) -> float:
    return float(np.clip(wanted, old - cap * abs(old), old + cap * abs(old)))


def _advice(old: Policy, new: Policy, image: Threshold, capped: bool) -> str:
    words = (
        f"image threshold {old.image_threshold:.4g} → {new.image_threshold:.4g} (these normals say {image.value:.4g}, "
        f"95 % interval {image.low:.4g} to {image.high:.4g})"
    )
    if image.low <= old.image_threshold <= image.high:
        return f"{words}: the old threshold lies within the interval, so there is no need to change it"
    if capped:
        return f"{words}: one step is not enough; find out what has changed before a second one"
    return f"{words}: take it, if what has changed is meant to stay"
