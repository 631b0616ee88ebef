"""Do the claims of the course hold with other seeds? Each notebook once more, with other trainings and other cloth.

    python -m tests.execute --seeds 7 8 9 [--resume] [notebooks/01_phase1_baseline.ipynb …]

Nothing of it is committed but the table: ``tests/bench/COURSE.md`` says of each notebook how long it took, how large it
is, how many claims held in the committed run, how many with each other seed, and which ones fell. Claims are reported,
not enforced, since the parameters are not the default ones. ``--resume`` goes on where it was killed.
"""

import ast
import json
from pathlib import Path

from nbclient.exceptions import CellExecutionError
from papermill.iorw import load_notebook_node

from adkit.runtime import atomic_path
from tests.course_table import notebooks, noted, running_time
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
    """What a notebook finds with other seeds; of one that failed, the error under ``error``."""
    out = home / "other_seeds" / f"{path.stem}_{seed}"
    try:
        return run_with(path, other_parameters(load_notebook_node(str(path)), seed), out, home)
    except CellExecutionError as error:
        return {"claims": [], "error": f"{error.ename}: {error.evalue}"}


def report(found: dict[str, dict[str, dict]], seeds: list[int], folder: Path) -> str:
    """The table, and the claims that fell."""
    lines = [
        "# The course: times, sizes, and claims with other seeds",
        "",
        "Made by `python -m tests.execute --seeds`. Claims that hold of claims made, in the committed run and with",
        "other seeds of the trainings and, where the notebook has them, of the textile.",
        "",
        f"| notebook | default run | MB | committed | {' | '.join(f'seed {seed}' for seed in seeds)} |",
        f"|---|---|---|---|{'---|' * len(seeds)}",
    ]
    fell = []
    for path in notebooks(folder):
        runs = found.get(path.stem, {})
        cells = [_held(runs[str(seed)]) if str(seed) in runs else "not run" for seed in seeds]
        size = path.stat().st_size / 1e6
        lines.append(
            f"| {path.stem} | {running_time(path)} | {size:.2f} | {_held(noted(path))} | {' | '.join(cells)} |"
        )
        for seed, results in runs.items():
            fell += [f"- {path.stem}, seed {seed}: {each['text']}" for each in results["claims"] if not each["holds"]]
    return "\n".join([*lines, "", "Claims that fell:", "", *(fell or ["- none"]), ""])


def _held(results: dict) -> str:
    claims = results.get("claims", [])
    return results.get("error") or f"{sum(each['holds'] for each in claims)} of {len(claims)}"


def try_seeds(paths: list[Path], seeds: list[int], home: Path, resume: bool = False, table: Path = TABLE) -> None:
    """Run notebooks with other seeds, and write the table.

    Args:
        paths: of the notebooks.
        seeds: each is one run of each notebook.
        home: folder of the runs.
        resume: keep what was run before.
        table: the file written.
    """
    kept = home / "other_seeds" / "found.json"
    found = json.loads(kept.read_text(encoding="utf-8")) if resume and kept.is_file() else {}
    for path in paths:
        for seed in seeds:
            if str(seed) not in found.setdefault(path.stem, {}):
                results = run_seed(path, seed, home)
                found[path.stem][str(seed)] = {key: results[key] for key in ("claims", "error") if key in results}
                print(f"{path.stem}, seed {seed}: {_held(results)}", flush=True)
                with atomic_path(kept) as temporary:
                    temporary.write_text(json.dumps(found), encoding="utf-8")
    with atomic_path(table) as temporary:
        temporary.write_text(report(found, seeds, paths[0].parent), encoding="utf-8")
