"""A policy for a detector: the one beside it, or one whose rules are read off normal images."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from adkit.deploy.model_folder import EXPORT_FILE, file_sha256, own_policy, read_description
from adkit.runtime.serialization import WEIGHTS
from adkit.scoring.policy import POLICY_FILE, Policy
from adkit.scoring.regions import find_regions

if TYPE_CHECKING:  # both need torch, which an inspection box has not
    from adkit.data import AnomalyDataset
    from adkit.detectors.base import Detector


def find_policy(folder: str | Path, policy: Policy | str | Path | None = None) -> Policy:
    """The policy for a detector: the one given, else ``policy.json`` beside it, else its own thresholds.

    Args:
        folder: of a saved detector, or of an exported one.
        policy: a policy, or the path of one.

    Raises:
        FileNotFoundError: if there is no such policy, or no such detector.
        ValueError: if it is damaged, or was made for other weights.
    """
    folder = Path(folder)
    sha256 = weights_sha256(folder)
    if policy is None:
        beside = folder / POLICY_FILE
        chosen = Policy.load(beside) if beside.is_file() else own_policy(read_description(folder), sha256)
    else:
        chosen = policy if isinstance(policy, Policy) else Policy.load(policy)
    made_for = chosen.origin.get("detector")
    if made_for not in (None, sha256):
        raise ValueError(
            f"the policy was made for a detector with the weights {str(made_for)[:12]}, and this one has "
            f"{sha256[:12]}; make a policy for this one, or take 'detector' out of its origin"
        )
    return chosen


def weights_sha256(folder: str | Path) -> str:
    """Hash of the weights that a folder's model was made from; raises a FileNotFoundError if there is none."""
    folder = Path(folder)
    if (folder / WEIGHTS).is_file():
        return file_sha256(folder / WEIGHTS)
    read_description(folder)
    if not (folder / EXPORT_FILE).is_file():
        raise FileNotFoundError(f"no {WEIGHTS} at {folder}; expected a saved or an exported detector")
    return json.loads((folder / EXPORT_FILE).read_text(encoding="utf-8"))["weights_sha256"]


def calibrate_policy(
    detector: "Detector", normals: "AnomalyDataset", false_regions_per_image: float = 0.05, decide: str = "score"
) -> Policy:
    """A policy whose regions are quiet on normal images: each needs a peak that few false regions reach.

    The image threshold and the pixel threshold stay the detector's, so a kept region keeps its extent. A limit on the
    peak was measured beside one on the area and one on both: on the textile the three find as many defects at the same
    rate of false regions, on AITEX the peak finds more.

    Args:
        detector: fitted.
        normals: normal images that the detector was not trained on, prepared as those.
        false_regions_per_image: so many regions a normal image may keep, on average; with few images little is known
            about a rate below one over their number.
        decide: ``score``, ``regions`` or ``both``, of :class:`adkit.scoring.policy.Policy`.

    Raises:
        RuntimeError: before ``fit``.
        ValueError: if an image is labelled anomalous, or the rate is not positive.
    """
    if not false_regions_per_image > 0:
        raise ValueError(f"false_regions_per_image must be a positive number, got {false_regions_per_image}")
    if normals.labels.any():
        raise ValueError("a policy is calibrated on normal images, and some of these are labelled anomalous")
    policy = Policy.of(detector)
    maps, _ = detector.judge_images(normals)
    origin = policy.origin | {
        "how": f"regions of {len(maps)} normal images, at most {false_regions_per_image:g} kept in each on average",
        "normals": len(maps),
        "fingerprint": normals.fingerprint,
    }
    high = quiet_peak(maps, policy.pixel_threshold, false_regions_per_image)
    return replace(policy, high=high, decide=decide, origin=origin)


def quiet_peak(maps: Sequence[np.ndarray], pixel_threshold: float, rate: float) -> float:
    """The least peak that leaves so few regions of normal images.

    Args:
        maps: of normal images, (H, W) each.
        pixel_threshold: from which on pixels form regions.
        rate: regions that an image may keep on average.

    Example:
        >>> a_map = np.zeros((5, 9))
        >>> a_map[2, [1, 4, 7]] = 0.3, 0.5, 0.9
        >>> quiet_peak([a_map], 0.2, rate=1) > 0.5
        True
    """
    peaks = sorted(region.peak for a_map in maps for region in find_regions(a_map >= pixel_threshold, a_map))
    allowed = int(rate * len(maps))
    if len(peaks) <= allowed:
        return pixel_threshold
    return float(np.nextafter(peaks[len(peaks) - 1 - allowed], np.inf))
