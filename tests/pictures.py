"""The pictures of the README, made by the library: ``python -m tests.pictures`` (a minute on two cores).

Those of notebook 08 are made by its own default run; ``python -m tests.pictures failures`` copies them from there, and
trains nothing.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from torchvision.utils import make_grid

from adkit import AutoencoderDetector, figures, load_dataset
from adkit.course.explorers import detector_panels
from adkit.data import Textile
from adkit.data.plots import ANOMALY_TYPES, Plots
from adkit.data.textile import DEFECT_TYPES, FABRICS
from adkit.diagnose.failure_modes import CASE_RULES

IMAGES = Path(__file__).parents[1] / "images"
FAILURES = Path(__file__).parents[1] / "runs" / "08_why_vaes_struggle"


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


def failures(run: Path = FAILURES, folder: Path = IMAGES) -> list[Path]:
    """Copy the pictures of notebook 08 from its last run, one for each rule; returns the files.

    Args:
        run: folder of the run, with ``results.json`` and ``pictures``.
        folder: where to.

    Raises:
        SystemExit: if that was no default run, of the textile, or a picture is missing.
    """
    results, files = run / "results.json", [run / "pictures" / f"{name}.png" for name in CASE_RULES]
    missing = [file.name for file in (results, *files) if not file.is_file()]
    if missing:
        raise SystemExit(f"{', '.join(missing)} not there; first: python -m tests.execute notebooks/{run.name}.ipynb")
    mode = json.loads(results.read_text(encoding="utf-8"))["mode"]
    if mode != "default":
        raise SystemExit(f"the pictures are of a {mode} run; those that are kept come from a default run")
    return [Path(shutil.copyfile(file, folder / file.name)) for file in files]


if __name__ == "__main__":
    if sys.argv[1:] == ["failures"]:
        sys.exit(print(*(file.name for file in failures()), sep="\n"))
    fabrics().save(IMAGES / "textile.png")
    plots().save(IMAGES / "plots.png")
    detection().save(IMAGES / "detection.png")
