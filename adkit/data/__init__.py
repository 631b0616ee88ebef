"""Images in: the embedded textile, time-series plots, MVTec AD layout, AITEX, or any folder, by one call.

>>> splits = load_dataset("textile", image_size=(64, 64))
>>> item = splits.test[0]
>>> item["image"].shape, item["kind"]
(torch.Size([1, 64, 64]), 'good')
"""

from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "NAMES": "adkit.data.load",
    "AnomalyDataset": "adkit.data.dataset",
    "Report": "adkit.data.check_report",
    "Splits": "adkit.data.parts",
    "Textile": "adkit.data.textile.loom",
    "check": "adkit.data.checking",
    "check_leakage": "adkit.data.splits",
    "load_dataset": "adkit.data.load",
    "read_image": "adkit.data.read",
    "read_mask": "adkit.data.read",
    "seam_jump": "adkit.data.tiling",
    "set_max_pixels": "adkit.data.formats",
    "stitch": "adkit.data.tiling",
    "tile_positions": "adkit.data.tiling",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
