"""What is judged anew is not trained anew: the address of a training covers what a training depends on, and no more."""

import os
from functools import partial

import pytest

from adkit import Experiment, run
from adkit.experiments import experiment
from adkit.experiments.evaluation import judge
from adkit.experiments.fitted import link_folder
from adkit.experiments.sources import source_hash
from tests.data_files import write_mvtec
from tests.test_experiment import TINY, tiny


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Intervals are tested elsewhere."""
    monkeypatch.setattr(experiment, "judge", partial(judge, bootstrap=10))


@pytest.fixture
def edit(package):
    """Put a constant into a source file; the addresses are those of the edited copy."""

    def put(name):
        path = package / name
        path.write_text(path.read_text() + "\nANSWER = 42\n")
        source_hash.cache_clear()

    source_hash.cache_clear()
    yield put
    source_hash.cache_clear()


JUDGING = ("metrics/curves.py", "experiments/evaluation.py", "experiments/synthetic_validation.py", "metrics/groups.py")
TRAINING = ("losses/pixel.py", "training.py", "detectors/autoencoder.py", "data/crops.py", "data/textile/loom.py")


@pytest.mark.parametrize("name", JUDGING)
def test_an_edited_evaluation_judges_what_was_trained(name, edit, fits):
    before = run(tiny(), quiet=True)
    edit(name)
    after = run(tiny(), quiet=True)
    assert len(fits) == 1
    assert (after.path != before.path, after.from_cache) == (True, False)
    assert (after.evaluation, after.selection, after.history) == (before.evaluation, before.selection, before.history)
    assert after.seconds["fit"] == before.seconds["fit"]  # what it took when it was really run
    weights = [result.path / "detector/weights.safetensors" for result in (before, after)]
    assert weights[0].samefile(weights[1])  # kept once


@pytest.mark.parametrize("name", TRAINING)
def test_an_edited_loss_trains_again(name, edit, fits):
    before = run(tiny(), quiet=True)
    edit(name)
    assert run(tiny(), quiet=True).path != before.path
    assert len(fits) == 2


@pytest.mark.filterwarnings("ignore:the threshold comes from")
def test_another_set_with_the_same_normals_is_not_trained_again(tmp_path, fits):
    parts = tmp_path / "a", tmp_path / "b"
    for part in parts:
        write_mvtec(part)
    next((parts[1] / "tile/test").rglob("0*.png")).unlink()
    settings = TINY | {"crop": 16}
    here, there = (run(Experiment(dataset="mvtec", root=part, settings=settings), quiet=True) for part in parts)
    assert here.path != there.path
    assert len(fits) == 1


def test_a_folder_is_copied_where_it_cannot_be_linked(tmp_path, monkeypatch):
    def refuse(source, target):
        raise OSError("no links here")

    (tmp_path / "a").mkdir()
    (tmp_path / "a/weights").write_text("1")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/of a killed process").touch()
    monkeypatch.setattr(os, "link", refuse)
    link_folder(tmp_path / "a", tmp_path / "b")
    assert [(file.name, file.read_text()) for file in (tmp_path / "b").iterdir()] == [("weights", "1")]
    assert not (tmp_path / "a/weights").samefile(tmp_path / "b/weights")
