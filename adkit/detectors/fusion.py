"""Several detectors as one: their maps brought to one scale by normal images, and added.

Methods fail on different surfaces. A sum keeps what any of them sees, as long as no member calls normal places unusual;
so members are chosen, and one that spoils the sum is left out. What chooses is a test set made of validation normals,
see :mod:`adkit.defects.stand_in`.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.defects.stand_in import TRAINED, stand_in_metrics, stand_ins
from adkit.detectors.base import Detector
from adkit.detectors.registry import detector_class, method_name
from adkit.detectors.settings import Settings, at_least_zero, setting_names
from adkit.runtime.progress import progress

SURROUNDINGS = 64.0
# no pretrained weights: what a bank of filters, a learned segmentation and a repairing network find, each relative to
# its surroundings
MEMBERS = (
    {"method": "filterbank", "reference": "image", "surroundings": SURROUNDINGS},
    {"method": "draem", "drift": 1.0, "surroundings": SURROUNDINGS},
    {
        "method": "latent", "drift": 1.0, "surroundings": SURROUNDINGS,
        "defects": {"size": [0.1, 0.4], "defect_types": list(TRAINED)},
    },
)  # fmt: skip
COMBINE = ("mean", "max")
AUTO = "auto"
# percentile of the pixels of validation normals that each map is divided by
SCALE = 99.5


@dataclass(frozen=True, kw_only=True)
class FusionSettings(Settings):
    """Settings of :class:`FusionDetector`, beside those of every detector.

    Raises:
        ValueError: if a value is no literal, a member is unknown, or a value is out of its range.
    """

    # methods by name, or dicts of a method and its settings; seed, device and quiet are those of here
    members: Sequence[str | dict] = MEMBERS
    # how maps on one scale become one: their weighted mean, or the highest of them
    combine: str = "mean"
    # one number of at least 0 for each member; None: equal ones; auto: equal ones for those members that together find
    # the synthetic defects on drifting validation normals best, and 0 for the others
    weights: Sequence[float] | str | None = AUTO
    # how much the images that choose the members drift, at least 0; 0: camera and light never change
    drift: float = 1.0
    # the highest value away from the border: of five scores and four borders the simplest of those that ranked the
    # stand-ins best, see tests/bench/PROTOCOL.md
    score: str = "max"
    border: int = 16

    def __post_init__(self):
        super().__post_init__()
        self.check("members", lambda value: isinstance(value, list) and value, "a list of at least one method")
        for member in self.members:
            self._checked(member)
        self.check_choice("combine", COMBINE)
        self.check("drift", at_least_zero, "0 or a positive number")
        numbers = isinstance(self.weights, list) and len(self.weights) == len(self.members)
        valid = numbers and all(map(at_least_zero, self.weights)) and any(self.weights)
        if not (self.weights in (None, AUTO) or valid):
            raise ValueError(
                f"weights must be None, 'auto', or {len(self.members)} numbers of at least 0, one a member and not "
                f"all 0, got {self.weights!r}"
            )

    def _checked(self, member: str | dict) -> None:
        if not isinstance(member, str) and not (isinstance(member, Mapping) and "method" in member):
            raise ValueError(
                f"a member must be the name of a method, or a dict with 'method' and its settings, got {member!r}"
            )
        self.member(member)

    def member(self, given: str | Mapping) -> Detector:
        """A member, not fitted.

        Args:
            given: an entry of ``members``.

        Raises:
            ValueError: if the method or a setting is unknown, or a value out of its range.
        """
        own = {"method": given} if isinstance(given, str) else dict(given)
        owner = detector_class(own.pop("method"))
        shared = {name: getattr(self, name) for name in ("seed", "device", "quiet")}
        if unknown := [name for name in own if name not in setting_names(owner.settings_class)]:
            raise ValueError(f"{', '.join(unknown)}: no setting of {owner.__name__}, a member of the fusion")
        return owner(**shared | own)


class FusionDetector(Detector):
    """The mean, or the maximum, of the maps of several detectors, each divided by its level on normal images.

    The level is the 99.5th percentile of the member's pixels on validation normals. A member of weight 0 is neither
    kept nor computed.

    Args:
        settings: fields of :class:`FusionSettings`, by name; what each is stands there.

    Attributes:
        members: fitted detectors, in the order of the settings; those that were left out are missing.
        chosen: their places in ``settings.members``.
        qualities: what ``auto`` decided by: the combinations that it tried, ``"0+2"`` → quality in [0, 1].

    Raises:
        TypeError: if a setting is unknown; the error names the closest one.
        ValueError: if a member is unknown, or a value is out of its range.

    Source:
        Kittler et al.: On combining classifiers, PAMI 1998 (the sum rule); the scale and the choice are ours.

    Example:
        >>> from adkit import load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> tiny = {"method": "autoencoder", "width": 4, "steps": 5, "crop": 32}
        >>> detector = FusionDetector(members=["filterbank", tiny], weights=None, quiet=True)
        >>> detector.fit(splits.train, splits.validation).anomaly_map(splits.test[0]["image"][None]).shape
        torch.Size([1, 64, 64])
    """

    settings_class = FusionSettings
    joins_methods = True

    def __init__(self, **settings):
        super().__init__(**settings)
        self.members: list[Detector] = []
        self.chosen: list[int] = []
        self.qualities: dict[str, float] = {}
        # fits a member to training and validation images, or finds it where it is kept; None: it is fitted
        self.fit_member: Callable[[Detector, AnomalyDataset, AnomalyDataset], Detector] | None = None
        self.weights = torch.zeros(0)
        self.levels = torch.zeros(0)

    @classmethod
    def of(cls, members: Sequence[Detector], validation: AnomalyDataset, **settings) -> "FusionDetector":
        """A fusion of detectors that are fitted already, and stay as they are.

        Args:
            members: fitted on the same images.
            validation: the held-out normal images that they were calibrated on.
            settings: those of this class, without ``members``.

        Raises:
            ValueError: if a member is not fitted, or they were not fitted to images prepared in the same way.
        """
        if unfitted := [type(member).__name__ for member in members if not member.is_fitted]:
            raise ValueError(f"{', '.join(unfitted)} must be fitted first; call fit(train, validation)")
        prepared = [member.preprocessing for member in members]
        if any(other != prepared[0] for other in prepared):
            raise ValueError("members must be fitted to the same images, prepared in the same way")
        given = [{"method": method_name(type(member)), **member.settings.chosen()} for member in members]
        fusion = cls(members=given, **settings)
        fusion.preprocessing = prepared[0]
        fusion._join(list(members), list(range(len(members))), validation)
        fusion._calibrate(validation)
        return fusion

    def _fit(self, train: AnomalyDataset, validation: AnomalyDataset) -> None:
        weights = self.settings.weights
        chosen = [k for k in range(len(self.settings.members)) if weights in (None, AUTO) or weights[k]]
        members = []
        for k in progress(chosen, "members", quiet=self.quiet):
            member = self.settings.member(self.settings.members[k])
            member.quiet = member.quiet or self.quiet
            if self.checkpoint is not None:
                member.checkpoint = self.checkpoint.with_name(f"{self.checkpoint.name}.{k}")
            # that there are few validation images is said once, of the fusion
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                members.append(
                    self.fit_member(member, train, validation) if self.fit_member else member.fit(train, validation)
                )
        self._join(members, chosen, validation)

    def _join(self, members: list[Detector], chosen: list[int], validation: AnomalyDataset) -> None:
        """Weigh fitted members, whose places in the settings are ``chosen``."""
        weights = self.settings.weights
        self.members, self.chosen = members, chosen
        self.weights = torch.tensor([1.0 if weights in (None, AUTO) else float(weights[k]) for k in chosen])
        self._measure_scales(validation)
        if weights == AUTO and len(members) > 1:
            self._leave_out(validation)

    def _leave_out(self, validation: AnomalyDataset) -> None:
        """Keep the members that together find the defects of the stand-ins best; of equals, the fewer."""
        images = stand_ins(validation, drift=self.settings.drift, seed=self.settings.seed)
        maps = [self._levelled(image.image, image.foreground).cpu() for image in images]  # (K, 1, H, W) each
        everyone = range(len(self.members))
        best, kept = -math.inf, list(everyone)
        for some in itertools.chain.from_iterable(itertools.combinations(everyone, n + 1) for n in everyone):
            rows = list(some)
            fused = [self._combine(of_all[rows], self.weights[rows])[0].numpy() for of_all in maps]
            quality = stand_in_metrics(fused, [float(one.max()) for one in fused], images).quality
            self.qualities["+".join(str(self.chosen[k]) for k in some)] = quality
            if quality > best:
                best, kept = quality, rows
        self.members, self.chosen = [self.members[k] for k in kept], [self.chosen[k] for k in kept]
        self.weights, self.levels = self.weights[kept], self.levels[kept]

    def _measure_scales(self, validation: AnomalyDataset) -> None:
        self.levels = torch.tensor([normal_level(member, validation) for member in self.members])

    def _map_and_score(self, images: Tensor, foreground: Tensor, scored: Tensor) -> tuple[Tensor, Tensor]:
        maps = self._combine(self._levelled(images, foreground), self.weights) * foreground
        return maps, self._image_score(maps, images, scored)

    def _anomaly_map(self, images: Tensor) -> Tensor:
        everywhere = torch.ones_like(images[:, 0], dtype=torch.bool)
        return self._combine(self._levelled(images, everywhere), self.weights)

    def _levelled(self, images: Tensor, foreground: Tensor) -> Tensor:
        """The members' maps (K, B, H, W) in units of their levels on normal images, on this detector's device."""
        maps = [member.judge(images, foreground)[0].to(self.device) for member in self.members]
        return torch.stack(maps) / self.levels.to(self.device)[:, None, None, None]

    def _combine(self, maps: Tensor, weights: Tensor) -> Tensor:
        """Maps (K, B, H, W) of one scale and weights (K,) to one map (B, H, W)."""
        weights = (weights / weights.sum()).to(maps)
        if self.settings.combine == "max":
            return (maps * (weights / weights.max())[:, None, None, None]).amax(dim=0)
        return torch.einsum("k,kbhw->bhw", weights, maps)

    # -- on disk -------------------------------------------------------------------------------------------------------

    def describe(self) -> dict:
        """As of every detector, and the same of each member, with its place among those of the settings."""
        members = [member.describe() for member in self.members]
        return super().describe() | {"members": members, "chosen": self.chosen, "qualities": self.qualities}

    def _take_over(self, description: dict, tensors: dict[str, Tensor]) -> "Detector":
        self.chosen, self.qualities = list(description["chosen"]), dict(description["qualities"])
        self.members = []
        for place, described in zip(self.chosen, description["members"], strict=True):
            prefix = f"member{place}."
            own = {name.removeprefix(prefix): v for name, v in tensors.items() if name.startswith(prefix)}
            owner = detector_class(described["detector"])
            self.members.append(owner.from_saved(described, own, self.settings.device))
        return super()._take_over(description, tensors)

    def _tensors(self) -> dict[str, Tensor]:
        of_members = {
            f"member{place}.{name}": value
            for place, member in zip(self.chosen, self.members, strict=True)
            for name, value in member._tensors().items()
        }
        return of_members | {"weights": self.weights, "levels": self.levels}

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.weights, self.levels = tensors["weights"], tensors["levels"]


def normal_level(detector: Detector, validation: AnomalyDataset) -> float:
    """What a detector's map is divided by before it joins others: its :data:`SCALE` th percentile on normal pixels.

    Args:
        detector: fitted.
        validation: held-out normal images.

    Returns:
        A positive number; 1 where the map is 0 on nearly all normal pixels, which leaves it as it is.
    """
    maps, _ = detector.judge_items(validation)
    shown = [one[validation.foreground(i)].numpy() for i, one in enumerate(maps)]
    return float(np.percentile(np.concatenate(shown), SCALE)) or 1.0
