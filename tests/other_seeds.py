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
from tests.course_table import COUNTS, SEEDS, held, report
from tests.parameterised import run_with


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


def try_seeds(paths: list[Path], seeds: list[int], home: Path, resume: bool = False, table: Path = SEEDS) -> None:
    """Run notebooks with other seeds, and write the table after each.

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
                print(f"{path.stem}, seed {seed}: {held(found[path.stem][seed])}", flush=True)
                for file, text in ((kept, json.dumps(found, indent=1) + "\n"), (table, report(found, path.parent))):
                    with atomic_path(file) as temporary:
                        temporary.write_text(text, encoding="utf-8")
