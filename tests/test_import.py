"""What an import costs: a name of the package loads what it needs and nothing else."""

import subprocess
import sys

import pytest

import adkit

NOTEBOOK = {"IPython", "ipywidgets", "papermill", "jupyterlab", "nbformat"}


def loaded_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    "statement,absent",
    [
        ("import adkit", NOTEBOOK | {"torch", "numpy", "matplotlib"}),
        ("from adkit import load_dataset", NOTEBOOK | {"matplotlib", "accelerate", "torchvision"}),
        ("from adkit.metrics import pixel_metrics", NOTEBOOK | {"matplotlib", "accelerate", "torchvision"}),
        ("from adkit import AutoencoderDetector, evaluate", NOTEBOOK | {"accelerate"}),
        ("from adkit import figures; from adkit.course import lesson", NOTEBOOK),
    ],
)
def test_imports_load_no_more_than_they_need(statement, absent):
    assert not absent & loaded_by(statement)


@pytest.mark.parametrize(
    "module",
    ["adkit.data.read", "adkit.scoring", "adkit.scoring.thresholds", "adkit.scoring.segmentation", "adkit.metrics"],
)
def test_a_box_without_torch_can_decode_and_decide(module, tmp_path):
    """A small inspection box has no torch: reading files, thresholds and masks do without."""
    blocked = "import sys; sys.modules['torch'] = None"
    read = f"import {module}; from adkit.data.read import read_pixels; from PIL import Image; "
    path = str(tmp_path / "a.png")
    read += f"Image.new('L', (5, 4)).save({path!r}); print(read_pixels({path!r}).shape)"
    done = subprocess.run([sys.executable, "-c", f"{blocked}; {read}"], capture_output=True, text=True)
    assert done.stdout.strip() == "(1, 4, 5)", done.stderr


def test_every_public_name_is_there():
    assert all(getattr(adkit, name) is not None for name in adkit.__all__)
    assert set(adkit.__all__) - {"__version__"} == set(dir(adkit))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'Autoencoder'; it offers .*AutoencoderDetector"):
        adkit.Autoencoder  # noqa: B018
