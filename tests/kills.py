"""Work that is killed at random moments and started again: does it come to the same end?

``python -m tests.kills JOB FOLDER KILLS SEED`` does some work once undisturbed, then kills it as often as asked, at
moments drawn from the seed, starts it again each time, and prints as JSON what came of it. Jobs: see ``JOBS``.
"""

import json
import os
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from adkit import AutoencoderDetector, Experiment, load_dataset, load_detector, run
from adkit.compare import compare

TINY = {"width": 4, "steps": 12, "crop": 32, "validate_every": 2, "device": "cpu", "quiet": True}
# what depends on the machine, and the lengths of files that hold it
CLOCK = ("seconds", "seconds_per_frame", "peak_bytes", "files")
SMALL = {"dataset": "textile", "category": "denim", "image_size": (32, 64)}


def result(folder: Path) -> None:
    """One experiment: training, evaluation, saving."""
    os.environ["ADKIT_HOME"] = str(folder / "home")
    run(Experiment("autoencoder", {**TINY, "steps": 40}, **SMALL), quiet=True)


def comparison(folder: Path) -> None:
    """Two trainings of one method, side by side."""
    os.environ["ADKIT_HOME"] = str(folder / "home")
    compare("filterbank", seeds=2, draws=20, device="cpu", quiet=True, **SMALL)


def judged_folder(folder: Path) -> None:
    """A folder of photographs, judged."""
    detector = load_detector(folder.parent / "detector", device="cpu")
    detector.quiet = True
    detector.predict_folder(folder.parent / "photos", folder / "verdicts")


def saved_over(folder: Path) -> None:
    """Two detectors that take turns at one place."""
    first, second = (load_detector(folder.parent / name, device="cpu") for name in ("detector", "other"))
    for detector in [first, second] * 10:
        detector.save(folder / "place")


JOBS = {"result": result, "compare": comparison, "folder": judged_folder, "save": saved_over}


def prepare(folder: Path) -> None:
    """What the jobs need: two detectors and some photographs."""
    splits = load_dataset(SMALL["dataset"], category=SMALL["category"], image_size=SMALL["image_size"])
    for name, seed in (("detector", 0), ("other", 1)):
        AutoencoderDetector(**TINY, seed=seed).fit(splits.train, splits.validation).save(folder / name)
    (folder / "photos").mkdir()
    draw = np.random.default_rng(0)
    for k in range(12):
        Image.fromarray(draw.integers(0, 256, (48, 64), np.uint8)).save(folder / "photos" / f"{k:02}.png")


def in_child(work: Callable[[Path], None], folder: Path) -> int:
    """Start the work in a process of its own."""
    pid = os.fork()
    if pid:
        return pid
    try:
        work(folder)
        os._exit(0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def wait(pid: int, seconds: float) -> int | None:
    """The exit status of a child within some time; None: it runs on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return status
        time.sleep(0.002)
    return None


def content(folder: Path) -> dict[str, str]:
    """Every file of a finished job, without what depends on the clock."""
    files = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        if path.suffix == ".json":
            data = json.dumps(timeless(json.loads(data)), sort_keys=True).encode()
        files[path.relative_to(folder).as_posix()] = str(hash(data))
    return files


def changed(folder: Path, other: Path) -> set[str]:
    """Names of the files that are not the same in both folders."""
    return {name for name, _ in content(folder).items() ^ content(other).items()}


def timeless(value: object) -> object:
    """A JSON value without what depends on the machine."""
    if isinstance(value, dict):
        return {name: timeless(entry) for name, entry in value.items() if name not in CLOCK}
    return [timeless(entry) for entry in value] if isinstance(value, list) else value


def check_place(folder: Path, identities: set[str]) -> bool:
    """Whether what lies at the place of ``saved_over`` is one of the two detectors, whole."""
    place = folder / "place"
    return not place.exists() or load_detector(place, device="cpu").identity() in identities


def main(job: str, folder: Path, kills: int, seed: int) -> dict:
    """Do the work undisturbed and killed, and compare."""
    work, draw = JOBS[job], random.Random(seed)
    prepare(folder)
    begun = time.monotonic()
    assert wait(in_child(work, folder / "whole"), 600) == 0
    takes = time.monotonic() - begun
    identities = {load_detector(folder / name, device="cpu").identity() for name in ("detector", "other")}
    killed, came_through, sound, place = 0, 0, True, folder / "killed"
    differing: set[str] = set()
    while killed < kills:
        pid = in_child(work, place)
        status = wait(pid, draw.uniform(0, 1.1 * takes))
        if status is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed += 1
            sound &= check_place(place, identities)
            continue
        came_through += 1
        if status:
            differing |= {f"exit status {status}"}
        differing |= changed(place, folder / "whole")
        place = folder / f"killed{came_through}"
    status = wait(in_child(work, place), 600)
    differing |= changed(place, folder / "whole")
    return {"killed": killed, "came_through": came_through, "status": status, "sound": sound,
            "differing": sorted(differing)}  # fmt: skip


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    name, where, count, number = sys.argv[1:]
    print(json.dumps(main(name, Path(where), int(count), int(number))))
