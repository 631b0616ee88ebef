"""The course's table, the notebooks' heads, and the runs with other seeds, on a course of two toys."""

import json
import os
import time

import nbformat
import pytest

from adkit.course.full_run import full_run
from tests import course_table, other_seeds
from tests.course_table import MAKER
from tests.full_runs import keep_full_runs
from tests.marked import between, put


@pytest.fixture
def course(tmp_path):
    folder = tmp_path / "notebooks"
    (folder / "results").mkdir(parents=True)
    for name, claim in (("00_first", "seed < 50"), ("01_second", "True")):
        cells = [
            nbformat.v4.new_markdown_cell(
                f"# Title {name}\n\n**What\nis it?**\n\nRunning time: old\nlines.\n\n## More"
            ),
            nbformat.v4.new_code_cell(
                "seed: int = 0  # of all\nseeds: list = [0, 1]  # of more\nout: str = ''  # where"
            ),
            nbformat.v4.new_code_cell(
                "from adkit.course.lesson import begin\n"
                "lesson = begin('toy', globals(), default='0')\n"
                f"lesson.claim('it holds', {claim})\nlesson.finish({{'seeds': seeds}});"
            ),
        ]
        cells[1].metadata["tags"] = ["parameters"]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
        noted = {"seconds": 61.0, "fetched_seconds": 5.0, "claims": [{"text": "a", "holds": True}]}
        (folder / "results" / f"{name}.json").write_text(json.dumps(noted))
    return folder


def test_table_and_heads_tell_one_time_and_lead_on(course):
    table = course_table.table(course)
    assert "| [00 Title 00_first](notebooks/00_first.ipynb) | What is it? | 1 min 06 s | 1 of 1 | not run |" in table
    course_table.write_heads(course)
    heads = [nbformat.read(path, as_version=4).cells[0].source for path in course_table.notebooks(course)]
    assert all(
        "Running time: 1 min 06 s (1 min 01 s after the notebooks before it) on two CPU cores" in head for head in heads
    )
    assert all("old\nlines" not in head and "## More" in head for head in heads)
    assert "[01_second →](01_second.ipynb)" in heads[0]
    assert "[← 00_first](00_first.ipynb)" in heads[1]
    before = (course / "00_first.ipynb").stat().st_mtime_ns
    course_table.write_heads(course)
    assert (course / "00_first.ipynb").stat().st_mtime_ns == before
    os.remove(course / "results" / "00_first.json")
    assert "not measured" in course_table.table(course)


def test_claims_with_other_seeds_are_summed(course, tmp_path, monkeypatch):
    runs = {"7": {"made": 3, "fell": ["a"]}, "8": {"made": 3, "fell": []}, "9": {"error": "KeyError: 1"}}
    (tmp_path / "course.json").write_text(json.dumps({"00_first": runs}))
    monkeypatch.setattr(course_table, "COUNTS", tmp_path / "course.json")
    assert "| 1 of 1 | 5 of 6 |" in course_table.table(course)


def test_tables_of_the_committed_figures_stand_on_their_pages():
    results = course_table.FOLDER / "results" / "README.md"
    assert between(course_table.README, "course", MAKER) == course_table.table()
    assert between(results, "steps", MAKER) == course_table.gains()
    assert between(results, "screening", MAKER) == course_table.screening()
    counts = json.loads(course_table.COUNTS.read_text(encoding="utf-8"))
    assert course_table.SEEDS.read_text(encoding="utf-8") == course_table.report(counts, course_table.FOLDER)
    assert course_table._gain({"value": 0.06, "low": 0.03, "high": 0.11, "p_holm": 0.01}) == "**+0.060 [+0.03, +0.11]**"
    assert course_table._gain({"value": 0.06, "low": -0.01, "high": 0.11, "p_holm": None}) == "+0.060 [-0.01, +0.11]"


def test_a_page_without_marks_is_refused(tmp_path):
    page = tmp_path / "PAGE.md"
    page.write_text("a\n<!-- steps: python -m tests.course_table -->\nold\n<!-- end of steps -->\nb\n")
    put(page, "steps", MAKER, "new")
    assert page.read_text() == "a\n<!-- steps: python -m tests.course_table -->\nnew\n<!-- end of steps -->\nb\n"
    with pytest.raises(SystemExit, match=r"PAGE\.md needs the marks <!-- course: "):
        put(page, "course", MAKER, "new")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_claims_are_counted_with_other_seeds_and_it_goes_on(course, tmp_path, capsys):
    paths = course_table.notebooks(course)
    home, table = tmp_path / "home", tmp_path / "COURSE.md"
    other_seeds.try_seeds(paths, [7], home, table=table)
    assert "00_first, seed 7: 1 of 1" in capsys.readouterr().out
    other_seeds.try_seeds(paths[:1], [7, 70], home, resume=True, table=table)
    printed = capsys.readouterr().out
    assert "seed 7:" not in printed
    table = table.read_text()
    assert "| 00_first | 1 min 06 s | 0.00 | 1 of 1 | 1 of 1 | 0 of 1 |" in table
    assert "| 01_second | 1 min 06 s | 0.00 | 1 of 1 | 1 of 1 | not run |" in table
    assert "- 00_first, seed 70: it holds" in table
    kept = json.loads((home / "other_seeds" / "00_first_7" / "results.json").read_text())
    assert kept["results"]["seeds"] == [700, 701]


def test_a_notebook_that_fails_says_so(course, tmp_path):
    found = {"00_first": {"7": {"error": "ValueError: x"}}, "01_second": {"8": {"made": 2, "fell": ["it is so"]}}}
    report = course_table.report(found, course)
    assert "| ValueError: x | not run |" in report
    assert "| not run | 1 of 2 |" in report
    assert "- 01_second, seed 8: it is so (not claimed any more)" in report


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_full_runs_are_kept_with_their_date(course, tmp_path, monkeypatch, capsys):
    (course / "params").mkdir()
    (course / "params" / "full.yaml").write_text("00_first:\n  seeds: [1, 2, 3]\n")
    first, second = course_table.notebooks(course)
    keep_full_runs([first], tmp_path / "home")
    assert "00_first, full run: " in capsys.readouterr().out
    monkeypatch.chdir(course.parent)
    assert full_run("00_first") == {"seeds": [1, 2, 3]}
    assert time.strftime("%Y-") in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no full run of 01_second, only of 00_first"):
        keep_full_runs([second], tmp_path / "home")
