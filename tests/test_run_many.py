"""Many experiments on an executor: the results of ``run``, each made once, none lost when one fails."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from adkit import Experiment, run
from adkit.batch import open_executor
from adkit.batch.leases import Lease
from adkit.compare import compare
from adkit.experiments import many, run_many
from adkit.experiments.many import ExperimentJob, ExperimentsFailed, lent_device, variables

TINY = {"width": 4, "steps": 4, "crop": 32, "device": "cpu"}


@pytest.fixture
def experiments():
    return [Experiment(settings=TINY, image_size=(64, 64), seed=seed) for seed in range(2)]


@pytest.fixture
def executor():
    with ThreadPoolExecutor(1) as opened:
        yield opened


@pytest.fixture
def as_a_worker():
    """The threads that each of two processes has: sums over more of them differ in their last bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(max((os.cpu_count() or 1) // 2, 1))
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_processes_give_what_run_gives(experiments, as_a_worker, tmp_path, monkeypatch):
    with open_executor("local:2") as executor:
        results = run_many([*experiments, experiments[0]], executor, quiet=True)
    assert [result.experiment for result in results] == [*experiments, experiments[0]]
    assert not any(result.from_cache for result in results)
    assert all(run(experiment, quiet=True).from_cache for experiment in experiments)
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path / "alone"))
    assert run(experiments[0], quiet=True).evaluation == results[0].evaluation


def test_without_an_executor_they_run_here(experiments):
    assert [result.experiment.seed for result in run_many(experiments, quiet=True)] == [0, 1]


def test_what_is_there_is_not_run_again(experiments, executor, monkeypatch):
    run(experiments[0], quiet=True)
    seen = []
    monkeypatch.setattr(many, "run_jobs", lambda jobs, *_, **__: [seen.append(jobs)] and [])
    with pytest.raises(ValueError, match="zip"):  # the second one's job is asked for, and no answer comes
        run_many(experiments, executor, quiet=True)
    assert [job.experiment.seed for job in seen[0]] == [1]


def test_one_that_fails_is_told_and_the_others_are_kept(experiments, executor, monkeypatch):
    real = many.run
    monkeypatch.setattr(many, "run", lambda each, **how: real(each, **how) if each.seed else 1 / 0)
    with pytest.raises(
        ExperimentsFailed, match="1 of 2 experiments have no result, the others are kept: autoencoder"
    ) as error:
        run_many(experiments, executor, quiet=True)
    assert list(error.value.failed) == experiments[:1]
    assert "ZeroDivisionError" in error.value.failed[experiments[0]].error
    assert run(experiments[1], quiet=True).from_cache


def test_a_worker_that_sees_no_common_folder_sends_its_result_back(experiments, executor, tmp_path, monkeypatch):
    first = experiments[0]
    job = ExperimentJob("a", first, first.address(), str(tmp_path / "caller"), token="no such token")
    outcome = job.run(Lease())
    assert "result.json" in outcome.files
    assert (outcome.status, set(outcome.figures)) == ("ok", {"image_auroc", "pixel_ap", "pro"})
    job.keep(outcome.files)
    job.keep(outcome.files)  # another one sent the same
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path / "caller"))
    result = run(first, quiet=True)
    assert result.from_cache
    assert result.detector().threshold > 0
    assert os.listdir(tmp_path / "caller" / "results") == [first.address()]


def test_other_images_on_a_worker_are_an_error(experiments):
    with pytest.raises(RuntimeError, match="its images or its adkit differ"):
        ExperimentJob("a", experiments[0], "0" * 20, "unused", token="none").run(Lease())


def test_the_lent_gpu_is_used(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    assert [lent_device(wanted, Lease(("3",))) for wanted in ("auto", "cuda", "cpu", "cuda:0")] == [
        "cuda:1", "cuda:1", "cpu", "cuda:0",
    ]  # fmt: skip
    assert lent_device("auto", Lease()) == lent_device("auto", Lease(("fake",))) == "auto"


def test_variables_are_put_back(monkeypatch):
    monkeypatch.setenv("ADKIT_A", "1")
    monkeypatch.delenv("ADKIT_B", raising=False)
    with variables(ADKIT_A="2", ADKIT_B="3"):
        assert (os.environ["ADKIT_A"], os.environ["ADKIT_B"]) == ("2", "3")
    assert (os.environ["ADKIT_A"], "ADKIT_B" in os.environ) == ("1", False)


def test_compare_on_an_executor_is_compare(executor, monkeypatch):
    monkeypatch.setenv("ADKIT_FAST", "1")
    real = many.run
    monkeypatch.setattr(many, "run", lambda each, **how: real(each, **how) if each.method != "vae" else 1 / 0)
    how = {"seeds": 1, "draws": 10, "image_size": (64, 64), "device": "cpu", "quiet": True}
    comparison = compare(["autoencoder", "vae"], executor=executor, **how)
    assert list(comparison.results) == ["autoencoder"]
    assert [(each.method, each.status) for each in comparison.problems] == [("vae", "failed")]
    assert "ZeroDivisionError" in comparison.problems[0].reason
