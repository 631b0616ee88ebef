"""When a shade is quieter in the map than the cloth around it: a rule, and all that it needs, measured on a network.

A shaded place multiplies the cloth by a gain g. Its residual has two parts: what the network leaves out of the *shift*
δ in grey level, of which it reconstructs the share a; and the *grain*, the part of the weave that it never
reconstructs, with variance σ², which the shade multiplies as well. Relative to the same place without the shade,

    ((1 - a) δ)² / σ² + g²

of the squared residual is expected. Below 1 the place is quieter than normal cloth, and the defect is inverted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit import scoring
from adkit.data import AnomalyDataset
from adkit.detectors.base import Detector
from adkit.diagnose.failure_modes.measurements import surround_auroc
from adkit.experiments.defect_retention import clean_counterpart, retention

GRAIN = 3.0  # pixels: the Gaussian that tells a shift of grey from the grain of the weave


@dataclass(frozen=True)
class Shade:
    """A changed place, and what a network makes of it and of the same place without the change.

    Attributes:
        index: of the frame in its dataset.
        kind: the defect type.
        gain: g, grey level over that of the clean twin; root mean square over the place.
        shift: δ, difference of the grey levels; root mean square, negative where the place is darker on average.
        share: a, of the shift that is reconstructed.
        grain: σ², mean squared residual of the clean twin at this place.
        measured: mean squared residual over that of the clean twin.
        surround: AUROC of the map's defective pixels against those around them; NaN where nothing lies around.
    """

    index: int
    kind: str
    gain: float
    shift: float
    share: float
    grain: float
    measured: float
    surround: float

    @property
    def predicted(self) -> float:
        """What the rule expects of ``measured``.

        Example:
            >>> Shade(0, "brightness", 0.8, -0.1, 1.0, 0.01, 0.7, 0.4).predicted.__round__(6)
            0.64
        """
        return ((1 - self.share) * self.shift) ** 2 / self.grain + self.gain**2


def measure_shade(
    detector: Detector, image: Tensor, clean: Tensor, mask: Tensor, index: int = 0, kind: str = ""
) -> Shade:
    """Measure one place: an image, and the same image without the change.

    Args:
        detector: a fitted detector that reconstructs, and maps by its residual.
        image: (C, H, W) in [0, 1].
        clean: its clean twin, of the same shape.
        mask: bool (H, W), the place.
        index: of the frame, to be noted.
        kind: of the change, to be noted.

    Raises:
        ValueError: if the mask is empty.
    """
    mask = torch.as_tensor(mask, dtype=torch.bool)
    if not mask.any():
        raise ValueError("the mask is empty: there is no shaded place to measure; pass the mask of a defective frame")
    pair = torch.stack([image, clean])
    reconstructed = detector.reconstruct(pair)
    residual = (pair - reconstructed).square().mean(dim=1)[:, mask].mean(dim=1)  # (2,)
    levels, rebuilt = (scoring.gaussian_smooth(part.mean(dim=1), GRAIN) for part in (pair, reconstructed))
    change, kept = levels[0] - levels[1], rebuilt[0] - rebuilt[1]
    inside = change[mask]
    a_map = detector.anomaly_map(image[None])[0]
    grain = float(residual[1].clamp(min=1e-12))
    return Shade(
        index=index,
        kind=kind,
        gain=float((levels[0] / levels[1].clamp(min=1e-3))[mask].square().mean().sqrt()),
        shift=float(inside.square().mean().sqrt() * (1 if inside.mean() >= 0 else -1)),
        share=retention(change, kept, mask),
        grain=grain,
        measured=float(residual[0]) / grain,
        surround=surround_auroc(mask.numpy(), a_map.numpy()),
    )


def measure_shades(detector: Detector, dataset: AnomalyDataset) -> list[Shade]:
    """Measure every defective frame that has a clean twin; of other sets than the textile, none has.

    Args:
        detector: as of :func:`measure_shade`.
        dataset: for example the test part of ``load_dataset("textile", types=["brightness"], severities=[0.5, 1.0])``.

    Example:
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits = load_dataset("textile", image_size=(64, 64), types=["brightness"], repeats=2)
        >>> detector = AutoencoderDetector(width=4, steps=5, crop=32, quiet=True).fit(splits.train, splits.validation)
        >>> shades = measure_shades(detector, splits.test)
        >>> len(shades), all(shade.measured > 0 for shade in shades)
        (2, True)
    """
    shades = []
    for i in range(len(dataset)):
        item = dataset[i]
        clean = clean_counterpart(dataset.subset([i]).samples[0]) if item["label"] and item["mask"].any() else None
        if clean is not None:
            shades.append(measure_shade(detector, item["image"], clean, item["mask"], i, item["kind"]))
    return shades


def agreement(shades: list[Shade]) -> tuple[int, int]:
    """How often the rule is right about whether a place is quieter than its clean twin.

    Args:
        shades: of one or several networks.

    Returns:
        Number of shades of which prediction and measurement lie on the same side of 1, and number of all.

    Example:
        >>> quiet = Shade(0, "dark", 0.8, -0.1, share=1.0, grain=0.01, measured=0.7, surround=0.4)
        >>> loud = Shade(1, "dark", 0.9, -0.1, share=1.0, grain=0.01, measured=1.2, surround=0.6)
        >>> agreement([quiet, loud])
        (1, 2)
    """
    sides = [(shade.predicted < 1) == (shade.measured < 1) for shade in shades]
    return int(np.sum(sides)), len(sides)
