"""adkit: learn, measure and use unsupervised visual anomaly detection.

Everything below loads on first use, so ``import adkit`` itself costs nothing:

>>> import adkit
>>> splits = adkit.load_dataset("textile", image_size=(64, 64))
>>> splits.test[0]["image"].shape
torch.Size([1, 64, 64])
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "load_dataset": "adkit.data",
    "AutoencoderDetector": "adkit.detectors.autoencoder",
    "LatentDetector": "adkit.detectors.latent",
    "VAEDetector": "adkit.detectors.vae",
    "PatchCoreDetector": "adkit.detectors.patchcore",
    "DRAEMDetector": "adkit.detectors.draem",
    "load_detector": "adkit.detectors.storage",
    "evaluate": "adkit.evaluation",
    "Experiment": "adkit.experiment",
    "run": "adkit.experiment",
    "table": "adkit.tables",
    "over_seeds": "adkit.tables",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str):
    """Import a public name from the room it lives in, the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'adkit' has no attribute {name!r}; it offers {', '.join(sorted(_HOMES))}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
