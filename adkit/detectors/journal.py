"""What a run over many images has done so far: it survives a kill, and the next run goes on behind it.

``predictions.csv`` grows by a row an image, for whoever watches. Beside it, ``predictions.partial.jsonl`` holds the
same rows with size and time of each file, under the detector that judged them. When the run is over, the first is
written anew, whole, and the second goes.
"""

import csv
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from adkit.runtime import atomic_path
from adkit.runtime.atomic import told

TABLE, PARTIAL = "predictions.csv", "predictions.partial.jsonl"


class Journal:
    """The rows of a run, written as they come.

    Args:
        out: folder of the run; it is made.
        identity: of the detector; rows of another one are forgotten.
        columns: of the table.

    Raises:
        OSError: if nothing can be written there.
    """

    def __init__(self, out: Path, identity: str, columns: Sequence[str]):
        self.out, self.identity, self.columns = out, identity, tuple(columns)
        self._known = self._read()
        # whole or not at all: half a line of a killed run is left out, and a kill now loses nothing
        with atomic_path(out / PARTIAL) as temporary, temporary.open("w", encoding="utf-8") as file:
            file.writelines(_line(entry) for entry in ({"identity": identity}, *self._known.values()))
        with atomic_path(out / TABLE) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self.columns).writeheader()
            csv.DictWriter(file, self.columns).writerows(entry["row"] for entry in self._known.values())
        self._partial = (out / PARTIAL).open("a", encoding="utf-8")
        self._table = (out / TABLE).open("a", newline="", encoding="utf-8")

    def find(self, name: str, path: Path) -> dict | None:
        """The row of an image, if an earlier run of the same detector has judged the same file.

        Args:
            name: of the image in the table.
            path: of its file.
        """
        entry = self._known.get(name)
        return entry["row"] if entry and entry["file"] == _signature(path) else None

    def add(self, row: dict, path: Path) -> None:
        """Write one row down.

        Args:
            row: of the image, by the columns.
            path: of its file.

        Raises:
            OSError: if the disk is full.
        """
        with told(self.out / PARTIAL):
            self._partial.write(_line({"row": row, "file": _signature(path)}))
            self._partial.flush()
            csv.DictWriter(self._table, self.columns).writerow(row)
            self._table.flush()

    def end(self) -> None:
        """Forget it: the tables are written."""
        (self.out / PARTIAL).unlink(missing_ok=True)

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *error) -> None:
        self.close()

    def close(self) -> None:
        """Write no more."""
        for file in (self._partial, self._table):
            with suppress(OSError):
                file.close()

    def _read(self) -> dict[str, dict]:
        """Name → what an earlier run has written of it; empty where it was another detector's."""
        entries = []
        with suppress(OSError, UnicodeDecodeError):
            for line in (self.out / PARTIAL).read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):
                    entries.append(json.loads(line))
        if not self.identity or not entries or entries[0] != {"identity": self.identity}:
            return {}
        whole = [entry for entry in entries[1:] if isinstance(entry, dict) and set(entry) == {"row", "file"}]
        return {entry["row"]["path"]: entry for entry in whole if set(entry["row"]) == set(self.columns)}


def _line(entry: dict) -> str:
    return json.dumps(entry) + "\n"


def _signature(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]
