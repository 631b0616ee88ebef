"""Do the claims of the course hold with other seeds? Each notebook once more, with other trainings and other cloth.

    python -m tests.execute --seeds 7 8 9 [--resume] [notebooks/01_phase1_baseline.ipynb …]

``tests/bench/COURSE.md`` says of each notebook how long it took, how large it is, how many claims held in the committed
run, how many with each other seed, and which ones fell. ``course.json`` beside it keeps the counts: ``--resume`` goes
on with the notebooks that are left, today or another day. Claims are reported, not enforced, since the parameters
are not the default ones.
"""

import ast
import json
from pathlib import Path

from nbclient.exceptions import CellExecutionError
from papermill.iorw import load_notebook_node

from adkit.runtime import atomic_path
from tests.course_table import COUNTS, claims_held, notebooks, noted, running_time
from tests.parameterised import run_with

TABLE = Path(__file__).parent / "bench" / "COURSE.md"


def other_parameters(notebook: dict, seed: int) -> dict:
    """The seeds of a notebook's parameters cell, of trainings and of the textile, with other values."""
    (source,) = [cell.source for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    defaults = {line.target.id: ast.literal_eval(line.value) for line in ast.parse(source).body}
    others = {}
    for name in {"seeds", "seed", "data_seed"} & defaults.keys():
        several = isinstance(defaults[name], list)
        others[name] = [100 * seed + each for each in range(len(defaults[name]))] if several else seed
    return others


def run_seed(path: Path, seed: int, home: Path) -> dict:
    """How many claims a notebook made with other seeds, and which fell; of a notebook that failed, the error."""
    out = home / "other_seeds" / f"{path.stem}_{seed}"
    try:
        claims = run_with(path, other_parameters(load_notebook_node(str(path)), seed), out, home)["claims"]
    except CellExecutionError as error:
        return {"error": f"{error.ename}: {error.evalue}"}
    return {"made": len(claims), "fell": [each["text"] for each in claims if not each["holds"]]}


def report(found: dict[str, dict[str, dict]], folder: Path) -> str:
    """The table, and the claims that fell.

    Args:
        found: notebook → seed → what ``run_seed`` returned.
        folder: of the notebooks.
    """
    seeds = sorted({seed for runs in found.values() for seed in runs}, key=int)
    lines = [
        "# The course: times, sizes, and claims with other seeds",
        "",
        "Made by `python -m tests.execute --seeds`. Claims that hold of claims made, in the committed run and with",
        "other seeds of the trainings and, where the notebook has them, of the textile. A claim that fell was",
        "softened or dropped afterwards, and its text says what the other seeds found; it is counted here as it was.",
        "",
        f"| notebook | default run | MB | committed | {' | '.join(f'seed {seed}' for seed in seeds)} |",
        f"|---|---|---|---|{'---|' * len(seeds)}",
    ]
    fell = []
    for path in notebooks(folder):
        runs = found.get(path.stem, {})
        cells = [_held(runs[seed]) if seed in runs else "not run" for seed in seeds]
        told = [path.stem, running_time(path), f"{path.stat().st_size / 1e6:.2f}", claims_held(path), *cells]
        lines.append(f"| {' | '.join(told)} |")
        today = {each["text"] for each in noted(path).get("claims", [])}
        for seed, run in runs.items():
            for text in run.get("fell", []):
                fell.append(f"- {path.stem}, seed {seed}: {text}{'' if text in today else ' (not claimed any more)'}")
    return "\n".join([*lines, "", "Claims that fell:", "", *(fell or ["- none"]), ""])


def _held(run: dict) -> str:
    return run.get("error") or f"{run['made'] - len(run['fell'])} of {run['made']}"


def try_seeds(paths: list[Path], seeds: list[int], home: Path, resume: bool = False, table: Path = TABLE) -> None:
    """Run notebooks with other seeds, and write the table after each, and once more at the end.

    With ``resume``, and nothing left to run, that only brings the columns of the committed run up to date.

    Args:
        paths: of the notebooks.
        seeds: each is one run of each notebook.
        home: folder of the runs.
        resume: keep what was counted before, but for what failed.
        table: the file written; the counts lie beside it.
    """
    kept = table.with_name(COUNTS.name)
    found = json.loads(kept.read_text(encoding="utf-8")) if resume and kept.is_file() else {}
    for path in paths:
        for seed in map(str, seeds):
            run = found.setdefault(path.stem, {}).get(seed, {"error": "not run"})
            if "error" in run:
                found[path.stem][seed] = run_seed(path, int(seed), home)
                print(f"{path.stem}, seed {seed}: {_held(found[path.stem][seed])}", flush=True)
                _write(found, paths[0].parent, kept, table)
    _write(found, paths[0].parent, kept, table)


def _write(found: dict[str, dict[str, dict]], folder: Path, kept: Path, table: Path) -> None:
    """The counts, and the table of them."""
    for file, text in ((kept, json.dumps(found, indent=1) + "\n"), (table, report(found, folder))):
        with atomic_path(file) as temporary:
            temporary.write_text(text, encoding="utf-8")
