"""A folder of images, judged and written down for people (HTML), for machines (JSON) and for a table (CSV)."""

import csv
import platform
from pathlib import Path

from adkit.deploy.judges import Judge, open_judge, reference_of
from adkit.deploy.policies import find_policy
from adkit.deploy.report.page import page
from adkit.deploy.report.rows import Rows, collect, judge_folder, now
from adkit.runtime import VERSION, atomic_path
from adkit.runtime.serialization import write_json
from adkit.scoring.policy import Policy

LOG_COLUMNS = (
    "image", "rule", "value", "limit", "strong", "verdict_changed", "area", "peak", "top", "left", "height", "width",
)  # fmt: skip
# a spreadsheet takes a cell that begins so for a formula
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_report(
    detector_dir: str | Path,
    folder: str | Path,
    out: str | Path,
    policy: Policy | str | Path | None = None,
    title: str = "",
    pictures: int = 200,
    quiet: bool = False,
    device: str = "auto",
) -> Path:
    """Judge a folder and write a report of it: ``report.html`` with all that it needs, and two files beside it.

    Beside the page lie its content as ``report.json`` and every suppressed region as ``report_suppressed.csv``.

    Args:
        detector_dir: a saved detector, or an exported one.
        folder: where the images lie, in it or below it.
        out: of the page, ending in ``.html``; or a folder, which gets a ``report.html``.
        policy: where to cut, or the path of a policy; None: the one beside the detector, else its own thresholds.
        title: of the page; empty: the folder's name.
        pictures: so many of the worst images are shown; the others stay as rows.
        quiet: show no progress.
        device: of a saved detector: auto, cpu, cuda, cuda:N or mps.

    Returns:
        The path of the page.

    Raises:
        FileNotFoundError: if there is no such folder, detector or policy.
        ValueError: if there is no image, a file of the detector or the policy is damaged, or the policy was made for
            other weights.

    Example:
        >>> write_report("runs/detector", "photos", "report.html")  # doctest: +SKIP
    """
    folder, out = Path(folder), Path(out)
    out = out if out.suffix.lower() in (".html", ".htm") else out / "report.html"
    chosen = find_policy(detector_dir, policy)
    judge = open_judge(detector_dir, device)
    reference = reference_of(detector_dir, judge.description)
    rows = collect(judge_folder(folder, judge, chosen, reference, quiet=quiet), chosen, pictures)
    for number, row in enumerate(rows.rows, start=1):
        row.numbers["number"] = number
    story = provenance(judge, chosen, folder)
    text = page(
        rows, chosen, reference.scores if reference else (), story, title or f"Inspection of {folder.name}",
        f"no picture: this page shows the {pictures} worst images",
    )  # fmt: skip
    with atomic_path(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    write_json(out.with_suffix(".json"), as_data(rows, chosen, story))
    write_log(rows, out.with_name(f"{out.stem}_suppressed.csv"))
    return out


def as_data(rows: Rows, policy: Policy, story: dict) -> dict:
    """All that the page says, as plain data."""
    numbers = [row.numbers for row in rows.rows]
    verdicts = [row["verdict"] for row in numbers]
    return {
        "totals": {"images": len(numbers), "skipped": len(rows.skipped)}
        | {verdict: verdicts.count(verdict) for verdict in ("anomalous", "review", "normal", "fault")},
        "policy": policy.as_dict() | {"sha256": policy.sha256},
        "provenance": story,
        "images": numbers,
        "skipped": rows.skipped,
    }


def provenance(judge: Judge, policy: Policy, folder: Path) -> dict:
    """Where a report comes from: versions, hashes, thresholds and settings; neither host nor user."""
    described, normals = judge.description, judge.description.get("normals", {})
    return {
        "detector": judge.name,
        "platform": judge.platform,
        "weights (SHA-256)": judge.sha256,
        "made": now(),
        "images": folder.name,
        "image threshold": described["image_threshold"],
        "policy (SHA-256)": policy.sha256,
        "policy from": policy.origin.get("how", "not said"),
        "validation normals": normals.get("fingerprint", "not kept by the version that saved the detector"),
        "adkit": VERSION,
        "Python": platform.python_version(),
        "trained with": described.get("provenance", {}),
        "settings": described["settings"],
        "preprocessing": described["preprocessing"],
    }


def write_log(rows: Rows, path: Path) -> None:
    """Every suppressed region as a line of a CSV file; a name that a spreadsheet would run gets an apostrophe."""
    with atomic_path(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(LOG_COLUMNS)
        for row in rows.rows:
            for one in row.numbers["suppressed"]:
                region, name = one["region"], inert(row.numbers["path"])
                measured = [one[column] for column in ("rule", "value", "limit", "strong", "verdict_changed")]
                writer.writerow([name, *measured, region["area"], region["peak"], *region["box"]])


def inert(name: str) -> str:
    """A name as a spreadsheet shows it and does not run it."""
    return f"'{name}" if name.startswith(FORMULA) else name
