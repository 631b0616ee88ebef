"""Does a recommendation keep its budget? Wall time used beside the budget given, on every set.

    python -m tests.overrun DATA [--budgets "1 min" "3 min"]

DATA is the folder with ``aitex``, ``magnetic_tile`` and ``mvtec_leather``. Run it with nothing else to do. It writes
``tests/bench/OVERRUN.md``.
"""

import argparse
import platform
import time
import warnings
from pathlib import Path

import torch

from adkit import load_dataset, recommend
from adkit.compare.budget import as_seconds
from adkit.runtime.atomic import atomic_path
from tests.choose import SETS

TABLE = Path(__file__).parent / "bench" / "OVERRUN.md"


def main() -> None:
    """Time recommendations, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--budgets", nargs="+", default=["1 min", "3 min"])
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [
        "# Wall time that `adkit.recommend` takes, beside its budget",
        "",
        f"{platform.machine()}, {torch.get_num_threads()} threads, {time.strftime('%Y-%m-%d')}. Made by `python "
        "-m tests.overrun DATA`. Above a budget by more than a fifth: in bold. The first candidate always runs.",
        "",
        "| set | budget | taken | of the budget | recommended | left out or shortened |",
        "|---|---|---|---|---|---|",
    ]
    for name, options in SETS.items():
        where = {"root": str(chosen.data / options["root"])} if "root" in options else {"category": "gabardine"}
        asked = dict(options | where)
        splits = load_dataset(asked.pop("dataset"), **asked)
        for budget in chosen.budgets:
            start = time.perf_counter()
            found = recommend(splits, budget, quiet=True)
            taken = time.perf_counter() - start
            share = taken / as_seconds(budget)
            told = f"**{share:.0%}**" if share > 1.2 else f"{share:.0%}"
            notes = "; ".join(f"{one.name}: {one.note}" for one in found.candidates if one.note)
            lines.append(f"| {name} | {budget} | {taken:.0f} s | {told} | {found.method} | {notes} |")
            print(lines[-1], flush=True)
            with atomic_path(TABLE) as path:
                path.write_text("\n".join([*lines, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
