"""Fixtures that several test files share, among them a small fitted detector of each kind, which tests only read."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from adkit import AutoencoderDetector, DRAEMDetector, PatchCoreDetector, VAEDetector, load_dataset
from adkit.detectors.base import Detector
from adkit.runtime import provenance

TINY = {"width": 4, "steps": 3, "crop": 32, "quiet": True, "device": "cpu"}  # a detector that is fitted in no time
TINY_DRAEM = TINY | {"depth": 2, "segment_width": 4, "segment_depth": 2}
TINY_VAE = {
    "latent_dim": 4, "widths": (4, 4, 8), "batch_size": 4, "steps": 3, "crop": 32, "quiet": True, "device": "cpu",
}  # fmt: skip
TINY_PATCHCORE = {
    "weights": None, "layers": ["blocks.2", "blocks.4"], "max_patches": 300, "coreset": 0.1,
    "quiet": True, "device": "cpu",
}  # fmt: skip

# nbformat has jsonschema compile a grammar of web addresses: over a second, for a check that no notebook asks for
sys.modules.setdefault("rfc3987_syntax", None)


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


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A copy of the package's sources that a test may edit; fingerprints are those of the copy."""
    copy = tmp_path / "adkit"
    shutil.copytree(provenance.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", copy)
    return copy


@pytest.fixture
def fits(monkeypatch) -> list[Detector]:
    """One entry for each time that a detector is really fitted."""
    calls, original = [], Detector.fit
    monkeypatch.setattr(Detector, "fit", lambda self, *parts: calls.append(self) or original(self, *parts))
    return calls


# -- what is made once, and only read ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def splits():
    """Small denim frames."""
    return load_dataset("textile", category="denim", image_size=(32, 64))


@pytest.fixture(scope="session")
def fit_once(splits, tmp_path_factory):
    """Fits a detector for the whole session; at its end, one that a test has changed is an error."""
    folder, before = tmp_path_factory.mktemp("shared"), {}

    def fit(detector):
        detector.fit(splits.train, splits.validation)
        before[detector] = content_hash(detector, folder)
        return detector

    yield fit
    changed = [type(detector).__name__ for detector in before if content_hash(detector, folder) != before[detector]]
    assert not changed, f"a test has changed what all tests share, {', '.join(changed)}: let it fit one of its own"


def content_hash(detector, folder: Path) -> str:
    """Of all that a saved detector consists of: tensors, settings, thresholds, history."""
    files = sorted(detector.save(folder / type(detector).__name__).iterdir())
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@pytest.fixture(scope="session")
def fitted(fit_once):
    """An autoencoder."""
    return fit_once(AutoencoderDetector(**TINY))


@pytest.fixture(scope="session")
def fitted_vae(fit_once):
    """A variational autoencoder."""
    return fit_once(VAEDetector(**TINY_VAE))


@pytest.fixture(scope="session")
def fitted_draem(fit_once):
    """A DRAEM."""
    return fit_once(DRAEMDetector(**TINY_DRAEM))


@pytest.fixture(scope="session")
def fitted_patchcore(fit_once):
    """A PatchCore with random weights."""
    return fit_once(PatchCoreDetector(**TINY_PATCHCORE))
