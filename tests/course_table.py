"""The course as a table, and each notebook's way back and on, made of notebooks and committed results.

    python -m tests.course_table

writes README's table between its marks, in the first cell of each notebook the line with the running time and the
links, the tables of the notebooks' own figures in ``notebooks/results/README.md``, and ``tests/bench/COURSE.md``. One
time a notebook: the seconds of ``notebooks/results/NAME.json``.
"""

import json
import re
from pathlib import Path

import nbformat

from adkit.runtime import atomic_path
from adkit.runtime.progress import duration
from tests.marked import put

REPOSITORY = Path(__file__).parents[1]
FOLDER, README = REPOSITORY / "notebooks", REPOSITORY / "README.md"
MAKER = "tests.course_table"
COUNTS = REPOSITORY / "tests" / "bench" / "course.json"  # of claims with other seeds, see tests/other_seeds.py
SEEDS = COUNTS.with_name("COURSE.md")  # the same as a page
MEASURES, LEVEL = ("image AUROC", "pixel AP", "PRO", "macro PRO"), 0.05
MARK = re.compile(r"^Running time:.*?(?:\n\n|\Z)", re.M | re.S)


def notebooks(folder: Path = FOLDER) -> list[Path]:
    """All notebooks, in their order."""
    return sorted(folder.glob("[0-9][0-9]*.ipynb"))


def noted(path: Path) -> dict:
    """The committed results of a notebook; empty where there are none."""
    results = path.parent / "results" / f"{path.stem}.json"
    return json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}


def claims_held(path: Path) -> str:
    """Claims that held in the committed run, of those that were made."""
    claims = noted(path).get("claims", [])
    return f"{sum(each['holds'] for each in claims)} of {len(claims)}"


def claims_elsewhere(path: Path) -> str:
    """The same, summed over the runs with other seeds."""
    counts = json.loads(COUNTS.read_text(encoding="utf-8")) if COUNTS.is_file() else {}
    runs = [run for run in counts.get(path.stem, {}).values() if "error" not in run]
    if not runs:
        return "not run"
    made = sum(run["made"] for run in runs)
    return f"{made - sum(len(run['fell']) for run in runs)} of {made}"


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
        "Made by `python -m tests.execute --seeds` and `python -m tests.course_table`. Claims that hold of claims",
        "made, in the committed run and with other seeds of the trainings and, where the notebook has them, of the",
        "textile. A claim that fell was softened or dropped afterwards, and its text says what the other seeds found;",
        "it is counted here as it was.",
        "",
        f"| notebook | default run | MB | committed | {' | '.join(f'seed {seed}' for seed in seeds)} |",
        f"|---|---|---|---|{'---|' * len(seeds)}",
    ]
    fell = []
    for path in notebooks(folder):
        runs = found.get(path.stem, {})
        cells = [held(runs[seed]) if seed in runs else "not run" for seed in seeds]
        told = [path.stem, running_time(path), f"{path.stat().st_size / 1e6:.2f}", claims_held(path), *cells]
        lines.append(f"| {' | '.join(told)} |")
        today = {each["text"] for each in noted(path).get("claims", [])}
        for seed, run in runs.items():
            for text in run.get("fell", []):
                fell.append(f"- {path.stem}, seed {seed}: {text}{'' if text in today else ' (not claimed any more)'}")
    return "\n".join([*lines, "", "Claims that fell:", "", *(fell or ["- none"]), ""])


def held(run: dict) -> str:
    return run.get("error") or f"{run['made'] - len(run['fell'])} of {run['made']}"


def running_time(path: Path) -> str:
    """How long the committed run took, trainings that it found on disk included."""
    found = noted(path)
    return duration(found["seconds"] + found.get("fetched_seconds", 0.0)) if found else "not measured"


def title_and_question(path: Path) -> tuple[str, str]:
    """What a notebook is called, and what it asks in bold under its title."""
    first = nbformat.read(path, as_version=4).cells[0].source
    title = re.search(r"^# +(.+)$", first, re.M)
    question = re.search(r"\*\*(.+?)\*\*", first, re.S)
    if not title or not question:
        raise SystemExit(f"{path.name}: the first cell needs a # title and a question in bold")
    return title[1], " ".join(question[1].split())


def table(folder: Path = FOLDER) -> str:
    """The course as Markdown."""
    lines = ["| notebook | question | default run, 2 cores | claims held | with other seeds |", "|---|---|---|---|---|"]
    for path in notebooks(folder):
        title, question = title_and_question(path)
        link = f"[{path.stem[: path.stem.index('_')]} {title}](notebooks/{path.name})"
        lines.append(f"| {link} | {question} | {running_time(path)} | {claims_held(path)} | {claims_elsewhere(path)} |")
    return "\n".join(lines)


def head(path: Path) -> str:
    """The line of a first cell that says how long it takes and where to go."""
    course = notebooks(path.parent)
    place = course.index(path)
    back = f"[← {course[place - 1].stem}]({course[place - 1].name})" if place else ""
    on = f"[{course[place + 1].stem} →]({course[place + 1].name})" if place + 1 < len(course) else ""
    links = " · ".join(filter(None, [back, "[the course](../README.md#the-course)", "[glossary](glossary.md)", on]))
    found = noted(path)
    # the last cell tells the seconds of its own run, without the trainings that it found on disk
    own = f" ({duration(found['seconds'])} after the notebooks before it)" if found.get("fetched_seconds") else ""
    return f"Running time: {running_time(path)}{own} on two CPU cores, well under a minute in fast mode. {links}\n\n"


def write_heads(folder: Path = FOLDER) -> None:
    """Put the line into each notebook that has one."""
    for path in notebooks(folder):
        notebook = nbformat.read(path, as_version=4)
        first = notebook.cells[0]
        told = MARK.sub(lambda _, path=path: head(path), first.source, count=1).rstrip()
        if told != first.source:
            first.source = told
            with atomic_path(path) as temporary:
                nbformat.write(notebook, temporary)


def gains(folder: Path = FOLDER) -> str:
    """What each step of the course gains, as Markdown: the paired differences that its notebooks kept."""
    found = {path.stem.split("_")[0]: noted(path)["results"] for path in notebooks(folder)}
    chosen = found["04"]["chosen"]
    loss = {row["of"][1]: row for row in found["04"]["gains"] if row["of"][0] == chosen}
    features = {row["of"][1]: row for row in found["05"]["gains"] if row["of"][0] == "repairing"}
    steps = {
        "02 synthetic defects": found["02"]["gains"],
        "03 skips": found["03"]["after_looking"],
        "03 skips, fresh cloth": found["03"]["confirmed"],
        f"04 the loss that validation chose ({chosen})": loss,
        "05 features beside pixels": features,
    }
    lines = [f"| step | {' | '.join(MEASURES)} |", f"|---|{'---|' * len(MEASURES)}"]
    for step, rows in steps.items():
        lines.append(f"| {step} | {' | '.join(_gain(rows[m]) if m in rows else '' for m in MEASURES)} |")
    return "\n".join(lines)


def _gain(row: dict) -> str:
    text = f"{row['value']:+.3f} [{row['low']:+.2f}, {row['high']:+.2f}]"
    return f"**{text}**" if row["p_holm"] is not None and row["p_holm"] < LEVEL else text


def screening(folder: Path = FOLDER) -> str:
    """The stages of screening in notebook 06b, as Markdown."""
    (path,) = (path for path in notebooks(folder) if path.stem.startswith("06b"))
    lines = ["| stage | precision | recall | F1 |", "|---|---|---|---|"]
    for stage, row in noted(path)["results"]["stages"].items():
        f1 = "{value:.2f} [{low:.2f}, {high:.2f}]".format(**row["f1"])
        lines.append(f"| {stage} | {row['precision']:.2f} | {row['recall']:.2f} | {f1} |")
    return "\n".join(lines)


def main() -> None:
    """Write the tables and the notebooks' heads."""
    write_heads()
    results = FOLDER / "results" / "README.md"
    for page, name, text in (
        (README, "course", table()),
        (results, "steps", gains()),
        (results, "screening", screening()),
    ):
        put(page, name, MAKER, text)
    counts = json.loads(COUNTS.read_text(encoding="utf-8"))
    with atomic_path(SEEDS) as temporary:
        temporary.write_text(report(counts, FOLDER), encoding="utf-8")


if __name__ == "__main__":
    main()
