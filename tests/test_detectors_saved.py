"""Detectors that version 0.1.0 saved: they load, and say what they said then.

``data/version_0_1_0`` holds one small detector of each kind, fitted to eight frames of the textile in two steps; the
networks have squeeze-and-excitation where there is a choice, and the latent detector the distance that was called
``redrawn``. ``expected.json`` is what that version said of the two images below.
"""

import json
import re
import tomllib
from pathlib import Path

import pytest
import torch

from adkit import load_detector
from adkit.detectors.storage import upgrade
from adkit.runtime import VERSION

FOLDER = Path(__file__).parent / "data" / "version_0_1_0"
EXPECTED = json.loads((FOLDER / "expected.json").read_text())


def images():
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(48.0), indexing="ij")
    waves = 0.5 + 0.3 * torch.sin(rows / 2) * torch.cos(columns / 3)
    return torch.stack([waves, 0.5 + 0.4 * torch.cos(rows * columns / 40)])[:, None]


@pytest.mark.parametrize("kind", EXPECTED)
def test_it_loads_and_says_the_same(kind, tmp_path):
    with (
        pytest.warns(UserWarning, match="has no checksums, as an older version saved it"),
        pytest.warns(UserWarning, match=rf"was saved by adkit 0\.1\.0, and this is {re.escape(VERSION)}: compare"),
    ):
        detector, expected = load_detector(FOLDER / kind, device="cpu"), EXPECTED[kind]
    for loaded in (detector, load_detector(detector.save(tmp_path / kind), device="cpu")):
        maps = loaded.anomaly_map(images())
        found = {
            "scores": loaded.image_score(images()),
            "map_means": maps.mean((1, 2)),
            "map_corners": maps[:, ::31, ::47].flatten(),
        }
        for name, values in found.items():
            torch.testing.assert_close(values, torch.tensor(expected[name]), rtol=1e-5, atol=1e-5, msg=name)
        assert (loaded.threshold, loaded.pixel_threshold) == (expected["threshold"], expected["pixel_threshold"])


def test_old_names_become_todays_and_todays_stay():
    old = {"excite.weigh.1.weight": 1, "down.0.1.weigh.3.bias": 2, "head.1.weight": 3}
    description = {"detector": "LatentDetector", "settings": {"distance": "redrawn", "skip": "redrawn", "levels": [1]}}
    new_description, new = upgrade(description, old)
    assert new == {"excite.fc1.weight": 1, "down.0.1.fc2.bias": 2, "head.1.weight": 3}
    assert new_description["settings"] == {"distance": "reconstruction", "skip": "redrawn", "levels": [1]}
    assert description["settings"]["distance"] == "redrawn"  # what came in stays as it was
    assert upgrade(new_description, new) == (new_description, new)


def test_the_version_is_one_and_not_that_of_the_old_folders():
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    assert tuple(map(int, VERSION.split("."))) > (0, 1, 0)
