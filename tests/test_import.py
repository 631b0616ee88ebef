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


@pytest.mark.parametrize(
    "statement,absent",
    [
        ("import adkit", NOTEBOOK | {"torch", "numpy", "matplotlib"}),
        ("from adkit import load_dataset", NOTEBOOK | {"matplotlib", "accelerate", "torchvision"}),
        ("from adkit.metrics import pixel_metrics", NOTEBOOK | {"matplotlib", "accelerate", "torchvision"}),
        ("from adkit import AutoencoderDetector, evaluate", NOTEBOOK | {"accelerate"}),
        ("from adkit import figures, lesson", NOTEBOOK),
    ],
)
def test_imports_load_no_more_than_they_need(statement, absent):
    assert not absent & loaded_by(statement)


def test_every_public_name_is_there():
    assert all(getattr(adkit, name) is not None for name in adkit.__all__)
    assert set(adkit.__all__) <= set(dir(adkit))


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no attribute 'Autoencoder'; it offers .*AutoencoderDetector"):
        adkit.Autoencoder  # noqa: B018
