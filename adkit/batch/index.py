"""``runs/index.csv``: what ran where, when, how long, with which parameters and figures; the newest run of each."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

from adkit.batch.jobs import Done
from adkit.runtime import atomic_path

FIXED = ("name", "status", "notebook", "parameters", "started", "seconds", "host", "gpus", "attempts", "error")
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would take what begins so for a formula


class Index:
    """The index of one folder of runs; what other batches wrote into it stays.

    Args:
        folder: of the runs.
    """

    def __init__(self, folder: str | Path):
        self.path = Path(folder) / "index.csv"
        self.rows = {row["name"]: row for row in self._read()}

    def note(self, done: Done, notebook: str = "", parameters: Mapping | None = None) -> None:
        """Write down a job that is over; one that was skipped keeps the row of the run that did the work.

        Args:
            done: the job.
            notebook: name of its notebook.
            parameters: those that were set.
        """
        if done.status == "skipped" and self.rows.get(_safe(done.name), {}).get("status") == "ok":
            return
        row = {
            "name": done.name,
            "status": done.status,
            "notebook": notebook,
            "parameters": json.dumps(dict(parameters or {}), sort_keys=True, ensure_ascii=False),
            "started": done.started,
            "seconds": f"{done.seconds:.1f}",
            "host": done.host,
            "gpus": done.gpus,
            "attempts": str(done.attempts),
            "error": done.error,
            **{name: f"{value:.6g}" for name, value in done.figures.items()},
        }
        numbers = ("seconds", *done.figures)
        self.rows[_safe(done.name)] = {name: value if name in numbers else _safe(value) for name, value in row.items()}
        self._write()

    def _read(self) -> list[dict[str, str]]:
        if not self.path.is_file():
            return []
        with self.path.open(newline="", encoding="utf-8") as file:
            return [row for row in csv.DictReader(file) if row.get("name")]

    def _write(self) -> None:
        figures = dict.fromkeys(name for row in self.rows.values() for name in row if name not in FIXED)
        text = io.StringIO()
        writer = csv.DictWriter(text, [*FIXED, *figures], restval="")
        writer.writeheader()
        writer.writerows(self.rows.values())
        with atomic_path(self.path) as temporary:
            temporary.write_text(text.getvalue(), encoding="utf-8", newline="")


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(DANGEROUS) else text
