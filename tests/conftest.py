"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest

from adkit import AutoencoderDetector, load_dataset

TINY = {"width": 4, "steps": 3, "crop": 32, "quiet": True, "device": "cpu"}  # a detector that is fitted in no time


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real images (``aitex``, ``magnetic_tile``, ``hazelnut_toy``); tests skip where it is absent."""
    folder = Path(os.environ.get("ADKIT_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("no real images at hand: set ADKIT_TEST_DATA to a folder with aitex/ and magnetic_tile/")
    return folder


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """Every test keeps its runs in a folder of its own."""
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path / "runs"))


@pytest.fixture(scope="module")
def splits():
    """Small denim frames."""
    return load_dataset("textile", category="denim", image_size=(32, 64))


@pytest.fixture(scope="module")
def fitted(splits):
    """A detector fitted on them; fitted afresh for each module, which must leave it as it is."""
    return AutoencoderDetector(**TINY).fit(splits.train, splits.validation)
