"""Execute notebooks in place, as they are committed: ``python -m tests.execute notebooks/01_phase1_baseline.ipynb``.

    python -m tests.execute --all [--resume]            every notebook, then ``python -m tests.course_table``
    python -m tests.execute --seeds 7 8 9 [--resume]    do their claims hold with other seeds? See tests/other_seeds.py
    python -m tests.execute --full NOTEBOOK …           their full runs, see tests/full_runs.py

Each runs in its own folder with no slider and no fast mode, its results are kept under ``runs/`` of the repository, and
``results.json`` is copied to ``notebooks/results/``. Figures are written as palette PNGs. What changes from run to run
without meaning (timing, widget state) is left out, and an output that names a folder of this machine is an error.
"""

import argparse
import hashlib
import json
import re
import shutil
import tempfile
import time
from copy import deepcopy
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from adkit.runtime import atomic_path
from adkit.runtime.provenance import find_source, source_fingerprint
from tests.environment import REPOSITORY, environment
from tests.full_runs import keep_full_runs
from tests.other_seeds import try_seeds
from tests.palette import convert

ABSOLUTE = re.compile(r"(?<![\w.:/~])(?:/(?:work|home|root|tmp|Users|private|opt|mnt|var)/|[A-Z]:\\)[\w.-]*")
OUTSIDE = re.compile(r"(?:\.\./){2,}[\w.-]*")  # out of the repository, from the folder of the notebooks
OPENING = "the default run takes about"  # as ``lesson.begin`` says it


def texts(cell: dict) -> list[str]:
    """Everything a code cell printed or shows as text, and a Markdown or code cell's own source."""
    found = [cell["source"]]
    for output in cell.get("outputs", []):
        found.append(output.get("text", ""))
        found += [text for kind, text in output.get("data", {}).items() if kind.startswith("text/")]
    return ["".join(text) for text in found]


def absolute_paths(notebook: dict) -> list[str]:
    """Folders of one machine that a notebook names."""
    everything = [text for cell in notebook["cells"] for text in texts(cell)]
    return [path for text in everything for pattern in (ABSOLUTE, OUTSIDE) for path in pattern.findall(text)]


def clean(notebook: nbformat.NotebookNode) -> None:
    """Drop widget state and timing, keep counts, outputs and what papermill needs; join what was printed in bits."""
    language = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python", "pygments_lexer": "ipython3"}
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": language})
    for cell in notebook.cells:
        for name in ("execution", "papermill", "ExecuteTime", "collapsed", "scrolled"):
            cell.metadata.pop(name, None)
        if cell.cell_type == "code":
            cell.outputs = joined(cell.outputs)


def joined(outputs: list) -> list:
    """Outputs with neighbouring pieces of one stream as one."""
    kept: list = []
    for output in outputs:
        if kept and output.output_type == "stream" == kept[-1].output_type and output.name == kept[-1].name:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def execute(path: Path, home: Path, cell_timeout: int) -> float:
    """Run one notebook and write it and its results back; returns the seconds it took."""
    notebook = nbformat.read(path, as_version=4)
    results = home / path.stem / "results.json"
    results.unlink(missing_ok=True)
    client = NotebookClient(
        notebook, timeout=cell_timeout, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    start = time.perf_counter()
    client.execute(env=environment(home))
    seconds = time.perf_counter() - start
    clean(notebook)
    if found := absolute_paths(notebook):
        raise SystemExit(f"{path.name} names folders of this machine: {', '.join(sorted(set(found)))}; nothing written")
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)
        convert(temporary)
    if results.is_file():
        (path.parent / "results").mkdir(exist_ok=True)
        shutil.copyfile(results, path.parent / "results" / f"{path.stem}.json")
        renew_opening(path)
    return seconds


def renew_opening(path: Path) -> None:
    """Run a notebook's opening once more: it tells the default run's time by the results that now lie beside it."""
    notebook = nbformat.read(path, as_version=4)
    telling = [number for number, cell in enumerate(notebook.cells) if any(OPENING in text for text in texts(cell))]
    if not telling:
        return
    opening = nbformat.v4.new_notebook(metadata=notebook.metadata, cells=deepcopy(notebook.cells[: telling[0] + 1]))
    with tempfile.TemporaryDirectory() as home:
        NotebookClient(opening, resources={"metadata": {"path": str(path.parent)}}).execute(env=environment(Path(home)))
    clean(opening)
    notebook.cells[telling[0]].outputs = opening.cells[-1].outputs
    with atomic_path(path) as temporary:
        nbformat.write(notebook, temporary)


def state(path: Path, home: Path) -> str:
    """What the run of a notebook in this home rests on: its code, and the sources that its results name.

    A hash; empty where the home has no results of it.
    """
    results = home / path.stem / "results.json"
    if not results.is_file():
        return ""
    named = [name for name in json.loads(results.read_text(encoding="utf-8"))["sources"] if find_source(name)]
    code = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join([*code, source_fingerprint(named)]).encode()).hexdigest()


def execute_all(paths: list[Path], home: Path, cell_timeout: int, resume: bool) -> None:
    """Run notebooks one after the other; one that fails does not keep the others from running.

    What was run is noted in ``executed.json`` of the home; with ``resume`` a notebook is passed over that was run
    there with the code and the sources of today.

    Raises:
        SystemExit: at the end, if one failed; it says which and why.
    """
    kept = home / "executed.json"
    done = json.loads(kept.read_text(encoding="utf-8")) if resume and kept.is_file() else {}
    failed = []
    for path in paths:
        if done.get(path.stem) == state(path, home) != "":
            print(f"{path.name}: run before", flush=True)
            continue
        try:
            seconds = execute(path, home, cell_timeout)
        except CellExecutionError as error:
            failed.append(f"{path.name}: {error.ename}: {error.evalue}")
            print(failed[-1], flush=True)
            continue
        print(f"{path.name}: {seconds:.0f} s", flush=True)
        done[path.stem] = state(path, home)
        with atomic_path(kept) as temporary:
            temporary.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    if failed:
        raise SystemExit("\n".join(["not executed:", *failed]))


def main(arguments: list[str] | None = None) -> None:
    """Execute the notebooks named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.execute", description="execute notebooks in place")
    parser.add_argument("notebooks", nargs="*", type=Path)
    parser.add_argument("--all", action="store_true", help="all notebooks, in their order")
    parser.add_argument("--home", type=Path, default=REPOSITORY / "runs", help="folder of the runs")
    parser.add_argument("--fresh", action="store_true", help="delete stored experiments first: honest running times")
    parser.add_argument("--cell-timeout", type=int, default=1800, help="seconds a cell may take")
    parser.add_argument("--seeds", nargs="+", type=int, default=[], help="count claims with other seeds instead")
    parser.add_argument("--resume", action="store_true", help="pass over what was run before")
    parser.add_argument("--full", action="store_true", help="make the full runs of notebooks/params/full.yaml")
    options = parser.parse_args(arguments)
    everything = options.all or (options.seeds and not options.notebooks)
    paths = sorted((REPOSITORY / "notebooks").glob("[0-9]*.ipynb")) if everything else options.notebooks
    if not paths or (options.all and options.notebooks):
        parser.error("name notebooks, or say --all")
    home, paths = options.home.absolute(), [path.absolute() for path in paths]
    if options.seeds:
        return try_seeds(paths, options.seeds, home, options.resume)
    if options.full:
        return keep_full_runs(paths, home)
    if options.fresh:
        for stored in ("results", "fitted", "selections"):
            shutil.rmtree(home / stored, ignore_errors=True)
    execute_all(paths, home, options.cell_timeout, options.resume)


if __name__ == "__main__":
    main()
