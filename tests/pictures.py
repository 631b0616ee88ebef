"""The pictures of the README, made by the library: ``python -m tests.pictures`` (a minute on two cores)."""

from pathlib import Path

from adkit import AutoencoderDetector, figures, load_dataset
from adkit.course.explorers import detector_panels
from adkit.data import Textile
from adkit.data.textile import DEFECT_TYPES, FABRICS

IMAGES = Path(__file__).parents[1] / "images"


def fabrics() -> figures.Plot:
    """One frame of each fabric, each with another defect type, magnified."""
    woven = [Textile(fabric).weave(3, kind, severity=0.9) for fabric, kind in zip(FABRICS, DEFECT_TYPES, strict=False)]
    names = [f"{fabric}, {kind}" for fabric, kind in zip(FABRICS, DEFECT_TYPES, strict=False)]
    return figures.samples([image / 255 for image, _ in woven], [mask for _, mask in woven], names)


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
    detection().save(IMAGES / "detection.png")
