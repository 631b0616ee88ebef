"""Several trainings at once: what they find is what one after the other finds, and it counts as made in this run."""

import pytest

from adkit import Experiment, run
from adkit.experiments import cache
from adkit.experiments.fit_only import fit_experiment
from adkit.experiments.studies import in_processes as module
from adkit.experiments.studies.in_processes import grouped, in_processes
from adkit.runtime.cores import cores, in_threads

TINY = Experiment(settings={"width": 4, "steps": 3, "crop": 32, "device": "cpu"}, image_size=(64, 64), category="denim")


@pytest.fixture
def two_cores(monkeypatch, tmp_path):
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path))
    monkeypatch.setenv("ADKIT_FAST", "0")
    monkeypatch.setattr(module, "cores", lambda: 2)
    monkeypatch.setattr(cache, "fetched_time", cache.FetchedTime())


def test_two_processes_find_what_one_finds_and_it_counts_as_made(two_cores, monkeypatch, tmp_path, capsys):
    trio = [TINY, TINY.variant(seed=1), TINY]
    found = in_processes(run, trio, "seeds")
    assert [result.experiment.seed for result in found] == [0, 1, 0]
    assert all(result.from_cache for result in found)  # they were made in other processes
    assert cache.fetched_time.total == 0  # in this run all the same
    assert "seeds  step 2/2" in capsys.readouterr().out
    monkeypatch.setenv("ADKIT_HOME", str(tmp_path / "alone"))
    alone = [run(experiment, quiet=True) for experiment in trio[:2]]
    for one, other in zip(found, alone, strict=False):
        assert one.evaluation.pixel_ap == pytest.approx(other.evaluation.pixel_ap, abs=1e-3)


def test_what_is_kept_is_fetched_and_no_process_is_started(two_cores, monkeypatch):
    pair = [TINY, TINY.variant(seed=1)]
    for experiment in pair:
        fit_experiment(experiment)
    monkeypatch.setattr(module, "open_executor", lambda where: pytest.fail("a process was started"))
    folders = [entry.folder for entry in in_processes(fit_experiment, pair, quiet=True)]
    assert len(set(folders)) == 2


def test_experiments_of_one_name_are_a_group_in_the_order_of_the_plan():
    plan = [("a", TINY), ("b", TINY.variant(seed=1)), ("a", TINY.variant(seed=2))]
    groups = grouped(lambda experiment, quiet: experiment.seed, plan, quiet=True)
    assert groups == {"a": [0, 2], "b": [1]}


def test_work_that_fails_elsewhere_fails_here(two_cores):
    lost = [TINY.variant(category="no such cloth", seed=seed) for seed in (0, 1)]
    with pytest.raises(ValueError, match="no such cloth"):
        in_processes(run, lost, quiet=True)


def test_work_that_is_not_kept_is_done_here(two_cores, monkeypatch):
    monkeypatch.setattr(module, "open_executor", lambda where: pytest.fail("a process was started"))
    assert in_processes(lambda experiment, quiet: experiment.seed, [TINY, TINY.variant(seed=4)], quiet=True) == [0, 4]


def test_threads_keep_the_order():
    assert cores() >= 1
    assert in_threads(lambda number: -number, range(20)) == [-number for number in range(20)]
