"""A folder of images in the order of their names, watched as if they came one after the other."""

from pathlib import Path

from adkit.data.uploads import OWN_FILES, Limits
from adkit.deploy.judges import open_judge, reference_of
from adkit.deploy.monitoring.monitor import Monitor
from adkit.deploy.monitoring.reference import Reference
from adkit.deploy.policies import find_policy
from adkit.deploy.report.rows import judge_folder
from adkit.scoring.policy import Policy


def make_reference(
    detector_dir: str | Path, normals: str | Path, policy: Policy | str | Path | None = None, quiet: bool = False
) -> Reference:
    """What a folder of normal images looks like, kept as ``monitor.json`` beside the detector.

    Args:
        detector_dir: a saved detector, or an exported one.
        normals: normal images that the detector was not trained on.
        policy: where to cut; None: the one beside the detector, else its own thresholds.
        quiet: show no progress.

    Raises:
        ValueError: if an image cannot be read, or there is none.
    """
    chosen, judge = find_policy(detector_dir, policy), open_judge(detector_dir)
    scores, qualities = [], []
    for name, one in judge_folder(normals, judge, chosen, quiet=quiet):
        if isinstance(one, dict):
            raise ValueError(f"{name} cannot be read ({one['code']}); a reference needs whole images")
        scores.append(one.raw.score)
        qualities.append(one.quality)
    count = judge.description["image_threshold"]["n"]
    reference = Reference.of(scores, qualities, count, f"{len(scores)} images of {Path(normals).name}")
    reference.save(detector_dir)
    return reference


def monitor_folder(
    detector_dir: str | Path,
    folder: str | Path,
    out: str | Path | None = None,
    policy: Policy | str | Path | None = None,
    normals: str | Path | None = None,
    window: int = 200,
    alpha: float = 1e-3,
    quiet: bool = False,
    limits: Limits = OWN_FILES,
) -> Monitor:
    """Watch a folder of images; the alerts are in the monitor that comes back.

    Args:
        detector_dir: a saved detector, or an exported one.
        folder: the images, in the order of their names.
        out: JSON file of the state; one that is there is gone on with. None: it is not kept.
        policy: where to cut; None: the one beside the detector, else its own thresholds.
        normals: a folder of normal images, from which a reference is made and kept beside the detector; None: the one
            that is there, else the scores of the validation normals.
        window: images of a window.
        alpha: chance of a false alarm in a window.
        quiet: show no progress.
        limits: of the images.

    Raises:
        ValueError: if nothing is known about normal images.
    """
    chosen, judge = find_policy(detector_dir, policy), open_judge(detector_dir)
    if normals is not None:
        make_reference(detector_dir, normals, chosen, quiet)
    reference = reference_of(detector_dir, judge.description)
    if reference is None:
        raise ValueError(
            "this detector was saved without the scores of normal images; pass normals=, a folder with some of them"
        )
    going_on = out is not None and Path(out).is_file()
    monitor = Monitor.load(out) if going_on else Monitor(reference, chosen.image_threshold, window, alpha)
    for _, one in judge_folder(folder, judge, chosen, reference, limits, quiet):
        if isinstance(one, dict):
            monitor.verdicts["unreadable"] += 1
        else:
            monitor.add(one.verdict, one.raw.score, one.quality, one.warnings)
    if out is not None:
        monitor.save(out)
    return monitor
