"""Several processes that train together: equal weights and thresholds at the end, one writer, images shared out."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from adkit import Experiment, load_dataset, load_detector, training
from adkit.models.autoencoder import Autoencoder
from adkit.runtime import processes
from adkit.runtime.processes import by_first, is_first, led, process_count, together
from adkit.runtime.training_state import TrainingState
from adkit.training import Training, fingerprint
from tests.conftest import TINY

ROOT = Path(__file__).parents[1]


def launched(monkeypatch, rank: int, number: int) -> None:
    """As in a process that accelerate has launched."""
    for name, value in {"LOCAL_RANK": rank, "RANK": rank, "WORLD_SIZE": number}.items():
        monkeypatch.setenv(name, str(value))


def test_one_process_is_alone(monkeypatch):
    assert (process_count(), is_first(), together()) == (1, True, False)
    assert by_first(lambda: 3) == 3
    assert led(lambda part: part(20) + 1, lambda value: 2 * value) == 41
    monkeypatch.setenv("WORLD_SIZE", "8")  # as a cluster's queue sets it, without a launcher
    assert process_count() == 1


def test_the_number_of_processes_is_part_of_every_fingerprint(monkeypatch):
    experiment = Experiment(settings=TINY, image_size=(64, 64))
    alone = fingerprint(Training()), experiment.address(), experiment.fit_address()
    launched(monkeypatch, 1, 2)
    assert (process_count(), is_first()) == (2, False)
    in_two = fingerprint(Training()), experiment.address(), experiment.fit_address()
    launched(monkeypatch, 0, 4)
    in_four = fingerprint(Training()), experiment.address(), experiment.fit_address()
    assert all(len({*of}) == 3 for of in zip(alone, in_two, in_four, strict=True))


def test_a_device_that_the_processes_were_not_launched_for_is_refused(monkeypatch):
    launched(monkeypatch, 0, 2)
    assert training._device("auto", torch.device("cuda:1")) == torch.device("cuda:1")
    with pytest.raises(ValueError, match="ACCELERATE_USE_CPU"):
        training._device("cpu", torch.device("cuda:1"))
    with pytest.raises(ValueError, match="device='auto'"):
        training._device("cuda", torch.device("cpu"))


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> tuple[Path, dict, dict]:
    """The folder in which two processes worked, and what each came to."""
    out = tmp_path_factory.mktemp("two")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = os.environ | {"ADKIT_HOME": str(out / "runs"), "PYTHONPATH": str(ROOT), "ACCELERATE_USE_CPU": "true"}
    command = [*launcher, "-m", "tests.two_processes", str(out)]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    said = [json.loads((out / f"rank{rank}.json").read_text(encoding="utf-8")) for rank in (0, 1)]
    return out, *said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["autoencoder", "latent", "vae", "adversarial", "draem", "patchcore", "filterbank"])
def test_both_end_with_the_same_weights_and_thresholds(two, name):
    _, first, second = two
    assert first[name] == second[name]


@pytest.mark.slow
def test_a_network_that_is_trained_alone_is_the_same_in_both_and_goes_on_from_one_checkpoint(two):
    _, first, second = two
    assert first["trained"] == second["trained"] == first["resumed"] == second["resumed"]


@pytest.mark.slow
def test_each_reads_its_share_of_the_images(two):
    _, first, second = two
    train = load_dataset("textile", image_size=(64, 64)).train
    shares = [train.subset(range(rank, len(train), 2)).fingerprint for rank in (0, 1)]
    assert [first["share"], second["share"]] == shares


@pytest.mark.slow
def test_only_the_first_writes(two):
    out, first, second = two
    assert first["loaded"] == second["loaded"]
    assert load_detector(out / "detector", device="cpu").pixel_threshold == first["loaded"]["pixel_threshold"]
    assert first["run"] == second["run"]
    assert first["run"]["cached"] == [False, True]
    assert [path.name for path in (out / "runs" / "results").iterdir()] == [first["run"]["folder"]]
    assert first["record"] == second["record"]
    kept = json.loads((out / "recorded" / "results.json").read_text(encoding="utf-8"))
    assert kept["address"] == first["record"]
    assert first["command"] == second["command"] == 0
    assert load_detector(out / "commanded", device="cpu").history
    (out / "plain.pt").unlink()  # of a training without a folder of its own
    assert not [path for path in out.rglob("*") if "checkpoint" in path.name or ".lock" in path.name]


@pytest.mark.slow
def test_an_error_of_the_first_reaches_the_others(two):
    _, first, second = two
    assert first["error"] == "OSError: the disk is full"
    assert second["error"] == "RuntimeError: the first of 2 processes failed: OSError: the disk is full"
    assert first["answer"] == second["answer"] == "from 0"
    assert (first["first"], second["first"]) == (True, False)


def test_a_training_goes_on_with_as_many_processes_only(tmp_path, monkeypatch):
    model, path = Autoencoder(width=4), tmp_path / "checkpoint.pt"
    optimiser = torch.optim.AdamW(model.parameters())
    TrainingState(model, optimiser, fingerprint(Training()), path).save()
    launched(monkeypatch, 0, 2)
    monkeypatch.setattr(processes, "together", lambda: False)
    with pytest.raises(ValueError, match="other training settings"):
        TrainingState(model, optimiser, fingerprint(Training()), path)
