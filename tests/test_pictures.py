"""The committed pictures of notebook 08: one for each rule, copied from a default run alone."""

import json

import pytest

from adkit.diagnose.failure_modes import CASE_RULES
from tests.pictures import IMAGES, failures


def test_each_rule_has_its_picture():
    assert [name for name in CASE_RULES if not (IMAGES / f"{name}.png").is_file()] == []


def test_pictures_come_from_a_default_run(tmp_path):
    run = tmp_path / "08_why_vaes_struggle"
    (run / "pictures").mkdir(parents=True)
    (tmp_path / "images").mkdir()
    with pytest.raises(SystemExit, match=r"results\.json, white_anomaly\.png"):
        failures(run, tmp_path / "images")
    for name in CASE_RULES:
        (run / "pictures" / f"{name}.png").write_bytes(name.encode())
    (run / "results.json").write_text(json.dumps({"mode": "fast"}))
    with pytest.raises(SystemExit, match="of a fast run"):
        failures(run, tmp_path / "images")
    (run / "results.json").write_text(json.dumps({"mode": "default"}))
    assert [file.stem for file in failures(run, tmp_path / "images")] == list(CASE_RULES)
    assert (tmp_path / "images" / "white_anomaly.png").read_bytes() == b"white_anomaly"
