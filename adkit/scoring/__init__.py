"""From residual to decision: residual → anomaly map → image score → threshold → mask, and the fusion of several maps.

Thresholds and masks are numpy alone; what needs torch is imported when it is asked for.
"""

from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "MAP_METHODS": "adkit.scoring.anomaly_maps",
    "SCORE_METHODS": "adkit.scoring.image_scores",
    "anomaly_map": "adkit.scoring.anomaly_maps",
    "gaussian_smooth": "adkit.scoring.anomaly_maps",
    "image_score": "adkit.scoring.image_scores",
    "relative_to_surroundings": "adkit.scoring.own_reference",
    "Scale": "adkit.scoring.fusion",
    "fuse": "adkit.scoring.fusion",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
