"""Nothing is lost: work that is killed at any moment comes to the same end when it is started again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.kills import JOBS

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="needs fork")]


def run_module(*words, home, **options):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ADKIT_HOME": str(home)}
    command = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1200, **options)


@pytest.mark.parametrize("job", JOBS)
def test_work_that_is_killed_at_ten_random_moments_comes_to_the_same_end(job, tmp_path):
    done = run_module("tests.kills", job, tmp_path, 10, 0, home=tmp_path / "home")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {**found, "killed": 10, "status": 0, "sound": True, "differing": []}, done.stderr


COMMAND = ["adkit", "fit", "--category", "denim", "--image-size", "32", "64", "--quiet", "--device", "cpu"]


def test_an_interrupt_leaves_nothing_half_written(tmp_path):
    """Ctrl-C while a network learns."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ADKIT_HOME": str(tmp_path / "home")}
    settings = ["--set", "width=4", "crop=32", "steps=100000", "validate_every=5", "--out", str(tmp_path / "d")]
    command = [sys.executable, "-m", *COMMAND, *settings]
    # tests that run in the background of a shell have inherited that interrupts are ignored
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **heeding) as process:
        for _ in range(2400):
            if list(tmp_path.glob("d.*.checkpoint")):
                break
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            complaint = process.communicate(timeout=60)[1]
        finally:
            process.kill()
    assert process.returncode == 130
    assert complaint.strip().splitlines()[-1] == (
        "adkit fit: error: interrupted; the same command goes on where this one stopped"
    )
    assert [path.suffix for path in tmp_path.iterdir()] == [".checkpoint"]
