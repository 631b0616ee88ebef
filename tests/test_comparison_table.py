"""The README's table of the comparison says what the committed results say."""

import json
import shutil

import pytest

from adkit.compare.protocol import FORMAT
from tests.comparison_table import (
    FOLDER,
    FUSION,
    FUSION_MARKS,
    REPOSITORY,
    SETS,
    TITLES,
    fusion_table,
    methods_of,
    missed,
    parts,
    table,
)


def test_readme_shows_the_committed_comparison():
    assert parts((REPOSITORY / "README.md").read_text(encoding="utf-8"))[1] == table()


def test_table_has_every_method_and_marks_the_best_of_each_set():
    for part in table().split("\n\n"):
        head, _, *rows = part.splitlines()
        assert head.count("|") == len(SETS) + 3
        protocol = json.loads((FOLDER / "textile.json").read_text(encoding="utf-8"))["protocol"]
        assert [row.split("`")[1] for row in rows] == methods_of(protocol)
        for column in range(2, len(SETS) + 3):
            cells = [row.split("|")[column] for row in rows]
            (best,) = (float(cell.split("**")[1]) for cell in cells if "**" in cell)
            assert best == max(float(cell.replace("*", "").split()[0]) for cell in cells)


def test_macro_pro_stands_below_pro_where_all_results_have_it(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "compare")
    for path in (tmp_path / "compare").glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        for each in kept["methods"].values():
            each["metrics"]["pro_macro"] = each["metrics"]["pro"]
        path.write_text(json.dumps(kept), encoding="utf-8")
    pooled, macro = table(tmp_path / "compare").split("\n\n")
    assert macro == pooled.replace(TITLES["pro"], TITLES["pro_macro"], 1)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_committed_interval_contains_its_own_estimate(path):
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["protocol"].get("format") is None:
        pytest.skip("made before format 2: its intervals are of the middle seed, not of the mean")
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


def test_readme_tells_what_the_committed_results_of_the_fusion_say():
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert parts(text, FUSION_MARKS)[1] == fusion_table()
    for path in FUSION.glob("*.json"):
        kept = json.loads(path.read_text(encoding="utf-8"))
        assert not kept["protocol"]["fast"]
        assert missed(kept["methods"]["fusion"]) == []
