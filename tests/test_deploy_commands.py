"""The commands behind a detector: what they print, what they write, and their exit codes."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from adkit.__main__ import main
from adkit.deploy import Policy


@pytest.fixture(scope="module")
def line(fitted, splits, tmp_path_factory):
    """A detector on disk, and its validation normals as files."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "normals").mkdir()
    for i in range(40):
        pixels = (255 * splits.validation[i]["image"][0].numpy()).round().astype(np.uint8)
        Image.fromarray(pixels).save(folder / "normals" / f"{i:02d}.png")
    return fitted.save(folder / "detector"), folder / "normals"


def test_report(line, tmp_path, capsys):
    detector, normals = map(str, line)
    assert (
        main(["report", detector, normals, "--out", str(tmp_path / "page.html"), "--quiet", "--title", "Shift 3"]) == 0
    )
    assert "written:" in capsys.readouterr().out
    assert "<h1>Shift 3</h1>" in (tmp_path / "page.html").read_text()
    with pytest.raises(SystemExit) as left:
        main(["report", detector, str(tmp_path / "none")])
    assert left.value.code == 2
    assert "no folder" in capsys.readouterr().err


def test_monitor(line, tmp_path, capsys):
    detector, normals = map(str, line)
    state = tmp_path / "state.json"
    words = ["monitor", detector, normals, "--out", str(state), "--window", "40", "--quiet"]
    assert main(words) == 0
    assert "no alert; a rate of alarms below" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seen"] == 80
    dead = tmp_path / "dead"
    dead.mkdir()
    Image.new("L", (64, 32)).save(dead / "a.png")
    assert main(["monitor", detector, str(dead), "--quiet"]) == 1
    assert "ALERT at image 1: 1 of the last 1 images: black" in capsys.readouterr().out


def test_retune(line, tmp_path, capsys):
    detector, normals = map(str, line)
    assert main(["retune", detector, normals, "--confirmed", "--quiet"]) == 0
    assert "nothing was written" in capsys.readouterr().out
    out = tmp_path / "policy.json"
    assert main(["retune", detector, normals, "--confirmed", "--quiet", "--out", str(out)]) == 0
    assert Policy.load(out).origin["normals"] == 40
    with pytest.raises(SystemExit) as left:
        main(["retune", detector, normals, "--quiet"])
    assert left.value.code == 2
    assert "nobody has confirmed" in capsys.readouterr().err


def test_an_extra_that_is_missing_is_one_line(line, tmp_path, capsys, monkeypatch):
    for words, module, extra in (
        (["serve", str(line[0])], "fastapi", "serve"),
        (["export", str(line[0]), "--out", str(tmp_path / "out")], "onnx", "export"),
        (["track", str(tmp_path)], "mlflow", "tracking"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        try:
            code = main(words)
        except SystemExit as left:
            code = left.code
        assert code == 2
        assert f'pip install "FOLDER[{extra}]"' in capsys.readouterr().err
