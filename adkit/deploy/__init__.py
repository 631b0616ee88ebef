"""From a fitted detector to an inspection that somebody runs: policy, report, service, monitoring, export, tracking.

Nothing here is imported before it is asked for, and what needs an extra says which one.
"""

from adkit.runtime.lazy import lazy_exports

_HOMES = {
    "Alert": "adkit.deploy.monitoring.monitor",
    "Judge": "adkit.deploy.judges",
    "Monitor": "adkit.deploy.monitoring.monitor",
    "OnnxJudge": "adkit.deploy.export.onnx_judge",
    "Policy": "adkit.scoring.policy",
    "Reference": "adkit.deploy.monitoring.reference",
    "Region": "adkit.scoring.regions",
    "Settings": "adkit.deploy.serving.settings",
    "Tracker": "adkit.deploy.tracking.tracker",
    "Verdict": "adkit.scoring.suppression",
    "calibrate_policy": "adkit.deploy.policies",
    "create_app": "adkit.deploy.serving.app",
    "export_onnx": "adkit.deploy.export.onnx_export",
    "find_policy": "adkit.deploy.policies",
    "import_runs": "adkit.deploy.tracking.importing",
    "make_reference": "adkit.deploy.monitoring.folder",
    "monitor_folder": "adkit.deploy.monitoring.folder",
    "open_judge": "adkit.deploy.judges",
    "retune": "adkit.deploy.monitoring.retuning",
    "retune_folder": "adkit.deploy.monitoring.retuning",
    "serve": "adkit.deploy.serving.run",
    "suppress": "adkit.scoring.suppression",
    "track": "adkit.deploy.tracking.importing",
    "write_report": "adkit.deploy.report.write",
}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
