"""The pictures of the README, made by the library: ``python -m tests.pictures`` (a minute on two cores)."""

from pathlib import Path

import torch
from torchvision.utils import make_grid

from adkit import AutoencoderDetector, figures, load_dataset
from adkit.course.explorers import detector_panels
from adkit.data import Textile
from adkit.data.plots import ANOMALY_TYPES, Plots
from adkit.data.textile import DEFECT_TYPES, FABRICS

IMAGES = Path(__file__).parents[1] / "images"


def fabrics() -> figures.Plot:
    """One frame of each fabric, each with another defect type, magnified."""
    woven = [Textile(fabric).weave(3, kind, severity=0.9) for fabric, kind in zip(FABRICS, DEFECT_TYPES, strict=False)]
    names = [f"{fabric}, {kind}" for fabric, kind in zip(FABRICS, DEFECT_TYPES, strict=False)]
    return figures.samples([image / 255 for image, _ in woven], [mask for _, mask in woven], names)


def plots() -> figures.Plot:
    """One curve as a monitoring screen shows it: normal, and with each of the nine anomalies."""
    shown = [torch.from_numpy(Plots(seed=9).render(5, kind)[0]) / 255 for kind in (None, *ANOMALY_TYPES)]
    return figures.strips([make_grid(shown, nrow=5, padding=6, pad_value=1.0)], ["one curve, and nine anomalies"])


def detection() -> figures.Plot:
    """What the recommended autoencoder makes of two frames of the test part."""
    splits = load_dataset("textile", category="gabardine")
    detector = AutoencoderDetector(quiet=True).fit(splits.train, splits.validation)
    scale = figures.colour_scale(detector.judge_images(splits.validation)[0])
    order = sorted(range(len(splits.test)), key=lambda i: -float(detector.image_score(splits.test[i]["image"][None])))
    defective = [i for i in order if splits.test.labels[i]]
    return detector_panels(detector, [splits.test[i] for i in defective[:2]], scale=scale)


if __name__ == "__main__":
    fabrics().save(IMAGES / "textile.png")
    plots().save(IMAGES / "plots.png")
    detection().save(IMAGES / "detection.png")
