"""The tables of README and of the results' page say what the committed results say."""

import json
import shutil

import pytest

from adkit.compare import METHODS
from adkit.compare.protocol import FORMAT
from tests.comparison_table import (
    FOLDER,
    MAKER,
    PAGE,
    README,
    SETS,
    course_table,
    fusion_table,
    missed,
    table,
)
from tests.marked import between


def test_the_page_shows_the_committed_comparison():
    assert between(PAGE, "comparison", MAKER) == table()
    assert between(PAGE, "course methods", MAKER) == course_table()


def test_table_has_every_method_and_marks_the_best_of_each_set():
    head, _, *rows = table().splitlines()
    assert head.count("|") == len(SETS) + 3
    assert [row.split("`")[1] for row in rows] == list(METHODS)
    for column in range(2, len(SETS) + 3):
        cells = [row.split("|")[column] for row in rows]
        (best,) = (float(cell.split("**")[1].split()[0]) for cell in cells if "**" in cell)
        assert best == max(float(cell.replace("*", "").split()[0]) for cell in cells)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_committed_interval_contains_its_own_estimate(path):
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert kept["protocol"]["format"] == FORMAT
    assert {name: missed(each) for name, each in kept["methods"].items() if missed(each)} == {}
    for name, row in kept["paired"].items():
        for metric, gap in row.items():
            means = [kept["methods"][each]["metrics"][metric]["mean"] for each in (kept["best"], name)]
            assert gap["value"] == pytest.approx(means[0] - means[1])
            assert gap["low"] - 1e-9 <= gap["value"] <= gap["high"] + 1e-9, (name, metric)


def test_an_interval_of_something_else_is_noticed():
    rows = {"pro": {"mean": 0.6, "low": 0.65, "high": 0.75}, "tile_auroc": {"mean": 0.5, "low": None, "high": None}}
    assert missed({"metrics": rows, "by_kind": {"dots": {"n": 3, "pro": {"mean": 0.6, "low": 0.5, "high": 0.7}}}}) == [
        "pro"
    ]


def test_a_comparison_without_a_method_is_refused(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "compare")
    path = tmp_path / "compare" / "tiles.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    del kept["methods"]["vae"]
    path.write_text(json.dumps(kept), encoding="utf-8")
    with pytest.raises(ValueError, match=r"tiles\.json must hold all of autoencoder, .*vae"):
        table(tmp_path / "compare")


def test_results_name_no_folder_of_a_machine():
    for path in FOLDER.glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        assert "root" not in kept["protocol"]
        assert not kept["problems"]


def test_readme_tells_what_the_committed_results_say_of_the_fusion():
    assert between(README, "fusion", MAKER) == fusion_table()
