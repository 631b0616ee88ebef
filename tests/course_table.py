"""The course as a table, and each notebook's way back and on, made of notebooks and committed results.

    python -m tests.course_table

writes README's table between its marks, and in the first cell of each notebook the line with the running time and the
links. One number a notebook: the seconds of ``notebooks/results/NAME.json``.
"""

import json
import re
from pathlib import Path

import nbformat

from adkit.runtime import atomic_path
from adkit.runtime.progress import duration

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "notebooks"
START, END = "<!-- course: python -m tests.course_table -->", "<!-- end of course -->"
MARK = re.compile(r"^Running time:.*?(?:\n\n|\Z)", re.M | re.S)


def notebooks(folder: Path = FOLDER) -> list[Path]:
    """All notebooks, in their order."""
    return sorted(folder.glob("[0-9][0-9]*.ipynb"))


def noted(path: Path) -> dict:
    """The committed results of a notebook; empty where there are none."""
    results = path.parent / "results" / f"{path.stem}.json"
    return json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}


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
    lines = ["| notebook | question | default run, 2 cores | claims |", "|---|---|---|---|"]
    for path in notebooks(folder):
        title, question = title_and_question(path)
        claims = noted(path).get("claims", [])
        held = f"{sum(each['holds'] for each in claims)} of {len(claims)}"
        link = f"[{path.stem[: path.stem.index('_')]} {title}](notebooks/{path.name})"
        lines.append(f"| {link} | {question} | {running_time(path)} | {held} |")
    return "\n".join(lines)


def head(path: Path) -> str:
    """The line of a first cell that says how long it takes and where to go."""
    course = notebooks(path.parent)
    place = course.index(path)
    back = f"[← {course[place - 1].stem}]({course[place - 1].name})" if place else ""
    on = f"[{course[place + 1].stem} →]({course[place + 1].name})" if place + 1 < len(course) else ""
    links = " · ".join(filter(None, [back, "[the course](../README.md#the-course)", "[glossary](glossary.md)", on]))
    return f"Running time: {running_time(path)} on two CPU cores, well under a minute in fast mode. {links}\n\n"


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


def main() -> None:
    """Write README's table and the notebooks' heads."""
    write_heads()
    readme = REPOSITORY / "README.md"
    text = readme.read_text(encoding="utf-8")
    if START not in text:
        raise SystemExit(f"README.md needs the marks {START} and {END}")
    before, _, rest = text.partition(START)
    with atomic_path(readme) as temporary:
        temporary.write_text(f"{before}{START}\n{table()}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    main()
