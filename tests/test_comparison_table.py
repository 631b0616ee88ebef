"""The README's table of the comparison says what the committed results say."""

import json
import shutil

import pytest

from adkit.compare import METHODS
from tests.comparison_table import FOLDER, REPOSITORY, SETS, parts, table


def test_readme_shows_the_committed_comparison():
    assert parts((REPOSITORY / "README.md").read_text(encoding="utf-8"))[1] == table()


def test_table_has_every_method_and_marks_the_best_of_each_set():
    head, _, *rows = table().splitlines()
    assert head.count("|") == len(SETS) + 3
    assert [row.split("`")[1] for row in rows] == list(METHODS)
    for column in range(2, len(SETS) + 3):
        cells = [row.split("|")[column] for row in rows]
        (best,) = (float(cell.split("**")[1]) for cell in cells if "**" in cell)
        assert best == max(float(cell.replace("*", "").split()[0]) for cell in cells)


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
