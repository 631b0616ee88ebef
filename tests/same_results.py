"""Show that two versions of the package compute the same bits: ``python -m tests.same_results OTHER_CHECKOUT``.

Five detectors are fitted on the textile, once with the package of this checkout and once with that of another one, each
in a process of its own. Weights, thresholds, maps, scores and evaluations are compared.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
DETECTORS = {
    "AutoencoderDetector": {"steps": 60, "width": 8, "crop": 32},
    "LatentDetector": {"steps": 40, "width": 8, "crop": 32},
    "VAEDetector": {"steps": 60},
    "PatchCoreDetector": {},
    "DRAEMDetector": {"steps": 30, "crop": 64},
}


def fit_all(out: Path) -> None:
    """Fit each detector with the package that Python finds first; write what it learned and what it says."""
    import torch
    from safetensors.numpy import load_file

    import adkit

    torch.set_num_threads(1)  # sums in one order
    splits = adkit.load_dataset("textile", image_size=(96, 160))
    images = torch.stack([splits.test[i]["image"] for i in range(6)])
    arrays = {}
    for name, settings in DETECTORS.items():
        detector = getattr(adkit, name)(**settings, quiet=True, device="cpu").fit(splits.train, splits.validation)
        result = adkit.evaluate(detector, splits.test, bootstrap=0)
        weights = load_file(detector.save(out.parent / name) / "weights.safetensors")
        arrays |= {f"{name}.weights.{key}": value for key, value in weights.items()}
        arrays[f"{name}.maps"] = detector.anomaly_map(images).numpy()
        arrays[f"{name}.scores"] = detector.image_score(images).numpy()
        arrays[f"{name}.thresholds"] = np.array([detector.threshold, detector.pixel_threshold])
        arrays[f"{name}.evaluation"] = np.array([result.image_auroc, result.pixel_ap, result.pro])
    np.savez(out, **arrays)


def compare(ours: Path, theirs: Path) -> dict[str, float]:
    """Name of an array → the largest difference, relative to the largest value; infinite where shapes differ."""
    with np.load(ours) as a, np.load(theirs) as b:
        names = sorted({*a, *b})
        shapes_agree = {name: name in a and name in b and a[name].shape == b[name].shape for name in names}
        return {name: relative_difference(a[name], b[name]) if shapes_agree[name] else np.inf for name in names}


def relative_difference(a: np.ndarray, b: np.ndarray) -> float:
    """0.0 exactly where all bits agree."""
    largest = max(np.abs(b).max(initial=0.0), np.finfo(float).tiny)
    return float(np.abs(a.astype(float) - b.astype(float)).max(initial=0.0) / largest)


def fitted_by(checkout: Path, folder: Path) -> Path:
    """The arrays that a checkout's package leaves, made in a process of its own."""
    out = folder / "arrays.npz"
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(checkout), "ADKIT_HOME": str(folder / "runs")}
    subprocess.run([sys.executable, __file__, "--fit", str(out)], check=True, env=environment, cwd=folder)
    return out


def main() -> int:
    """Compare, and stamp where that was asked for; 1 where a bit differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkout", nargs="?", type=Path, help="another checkout of this repository")
    parser.add_argument("--fit", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.fit:
        fit_all(arguments.fit)
        return 0
    if arguments.checkout is None or not (arguments.checkout / "adkit").is_dir():
        parser.error(f"expected a checkout with a folder adkit in it, got {arguments.checkout}")
    with tempfile.TemporaryDirectory() as folder:
        ours = fitted_by(ROOT, Path(folder, "ours"))
        theirs = fitted_by(arguments.checkout.absolute(), Path(folder, "theirs"))
        differences = compare(ours, theirs)
    differing = {name: value for name, value in differences.items() if value}
    for name in DETECTORS:
        worst = max(value for key, value in differences.items() if key.startswith(f"{name}."))
        print(f"{name}: {'the same bits' if not worst else f'differs by up to {worst:.1e} of the largest value'}")
    return bool(differing)


if __name__ == "__main__":
    sys.exit(main())
