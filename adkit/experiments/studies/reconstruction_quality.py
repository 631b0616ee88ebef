"""How good a network's reconstructions are in absolute terms, beside what it finds and what it lets through."""

import statistics
from collections.abc import Callable

import torch
from torch import Tensor

from adkit.data import AnomalyDataset
from adkit.experiments.defect_retention import defect_retention
from adkit.experiments.experiment import Result
from adkit.losses import psnr, ssim

FRAMES = 8  # normal frames that quality is measured on


def reconstruction_quality(
    reconstruct: Callable[[Tensor], Tensor], normal: AnomalyDataset, frames: int = FRAMES
) -> dict[str, float]:
    """PSNR and SSIM of reconstructed normal images.

    Args:
        reconstruct: (B, C, H, W) to (B, C, H, W), for example ``detector.reconstruct``.
        normal: normal images that were not trained on; their sizes may differ.
        frames: of so many of them, spread evenly.

    Returns:
        ``PSNR, dB`` and ``SSIM``, each the mean over the images.

    Raises:
        ValueError: if there is no image, or ``frames`` is below 1.

    Example:
        >>> from adkit import load_dataset
        >>> normal = load_dataset("textile", image_size=(64, 64)).validation
        >>> quality = reconstruction_quality(lambda images: (images - 0.1).clamp(min=0), normal, frames=2)
        >>> round(quality["PSNR, dB"]), quality["SSIM"] < 1
        (20, True)
    """
    if frames < 1 or not len(normal):
        raise ValueError(f"expected at least one normal image, got frames={frames} of {len(normal)} images")
    places = torch.linspace(0, len(normal) - 1, min(frames, len(normal))).long().tolist()
    images = [normal[i]["image"][None] for i in places]
    pairs = [(reconstruct(image), image) for image in images]
    measures = {"PSNR, dB": psnr, "SSIM": ssim}
    return {name: statistics.fmean(float(measure(*pair)) for pair in pairs) for name, measure in measures.items()}


def quality_row(result: Result, frames: int = FRAMES) -> dict[str, float]:
    """One run of a sweep as a row of a table: what it finds, what it lets through, how well it reconstructs.

    Args:
        result: of a method that reconstructs.
        frames: as of :func:`reconstruction_quality`.

    Returns:
        ``image AUROC``, ``pixel AP``, ``PRO``, ``macro PRO``, ``let through`` (mean over the defect types; NaN
        where the set has no clean twins), ``PSNR, dB`` and ``SSIM`` on validation normals. What could not be measured
        is NaN.

    Example:
        >>> from adkit import Experiment, run
        >>> tiny = Experiment(settings={"width": 4, "steps": 4, "crop": 32}, image_size=(64, 64))
        >>> list(quality_row(run(tiny, quiet=True), frames=1))
        ['image AUROC', 'pixel AP', 'PRO', 'macro PRO', 'let through', 'PSNR, dB', 'SSIM']
    """
    splits, detector, found = result.experiment.splits(), result.detector(), result.evaluation
    names = {"image AUROC": "image_auroc", "pixel AP": "pixel_ap", "PRO": "pro", "macro PRO": "pro_macro"}
    row = {name: float("nan") if found[key] is None else float(found[key]) for name, key in names.items()}
    shares = defect_retention(detector.reconstruct, splits.test).values()
    row["let through"] = statistics.fmean(shares) if shares else float("nan")
    return row | reconstruction_quality(detector.reconstruct, splits.validation, frames)
