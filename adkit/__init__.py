"""adkit: learn, measure and use unsupervised visual anomaly detection.

Everything below loads on first use, so ``import adkit`` itself costs nothing:

>>> import adkit
>>> splits = adkit.load_dataset("textile", image_size=(64, 64))
>>> splits.test[0]["image"].shape
torch.Size([1, 64, 64])
"""

from adkit.runtime import VERSION as __version__
from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "load_dataset": "adkit.data.load",
    "AutoencoderDetector": "adkit.detectors.autoencoder",
    "LatentDetector": "adkit.detectors.latent",
    "VAEDetector": "adkit.detectors.vae",
    "PatchCoreDetector": "adkit.detectors.patchcore",
    "DRAEMDetector": "adkit.detectors.draem",
    "FilterBankDetector": "adkit.detectors.filterbank",
    "FusionDetector": "adkit.detectors.fusion",
    "load_detector": "adkit.detectors.storage",
    "evaluate": "adkit.experiments.evaluation",
    "Experiment": "adkit.experiments.experiment",
    "run": "adkit.experiments.experiment",
    "recommend": "adkit.compare.recommend",
    "table": "adkit.experiments.tables",
    "over_seeds": "adkit.experiments.seeds",
}

__all__ = [*_HOMES, "__version__"]
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
