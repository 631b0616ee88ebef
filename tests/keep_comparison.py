"""Keep what ``python -m adkit.compare`` wrote, with its date and the sources that it ran on.

    python -m tests.keep_comparison aitex00=FOLDER tiles=FOLDER …

copies results.json and table.md of each folder to ``notebooks/results/compare/NAME.json`` and ``.md``, and notes in the
former the day on which it was written and the fingerprint of the sources. Call it from the sources that measured.
"""

import argparse
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from adkit.compare.methods import METHODS
from adkit.data.load import reader_module
from adkit.detectors.registry import detector_class, source_modules
from adkit.experiments.sources import RUN
from adkit.runtime.provenance import imported_modules, source_fingerprint
from adkit.runtime.serialization import write_json

FOLDER = Path(__file__).parents[1] / "notebooks" / "results" / "compare"


def sources(dataset: str) -> list[str]:
    """The modules that a comparison on a set runs."""
    detectors = [module for method, _ in METHODS.values() for module in source_modules(detector_class(method))]
    return imported_modules([*RUN, "adkit.compare.protocol", reader_module(dataset), *detectors])


def keep(name: str, measured: Path, folder: Path = FOLDER) -> dict:
    """Copy one comparison; returns what is kept of it."""
    path = measured / "results.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["protocol"]["fast"]:
        raise SystemExit(f"{path} comes from fast mode; its numbers mean nothing")
    kept["date"] = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    kept["sources"] = sources(kept["protocol"]["dataset"])
    kept["fingerprint"] = source_fingerprint(kept["sources"])
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", kept)
    shutil.copyfile(measured / "table.md", folder / f"{name}.md")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", metavar="NAME=FOLDER")
    for page in parser.parse_args().pages:
        name, _, measured = page.partition("=")
        kept = keep(name, Path(measured))
        print(f"{name}: {kept['date']}, sources {kept['fingerprint'][:9]}, {len(kept['methods'])} methods")


if __name__ == "__main__":
    main()
