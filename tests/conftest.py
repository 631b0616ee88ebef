"""Fixtures that several test files share."""

import os
from pathlib import Path

import pytest


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
