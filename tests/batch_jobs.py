"""Small jobs and notebooks for the tests of batches; in a module of their own, so that workers can import them."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from adkit.batch import Job, Outcome


@dataclass(frozen=True)
class Note(Job):
    """Leaves a line in ``folder/name``: its GPUs, and when it began and ended."""

    name: str
    folder: str
    seconds: float = 0.0
    gpus: int | None = None
    error: str = ""

    def run(self, lease):
        began = time.time()
        time.sleep(self.seconds)
        if self.error:
            raise ValueError(self.error)
        line = f"{','.join(lease.gpus or ())} {began} {time.time()}"
        Path(self.folder, self.name).write_text(line, encoding="utf-8")
        return Outcome(figures={"pid": os.getpid()})


@dataclass(frozen=True)
class Dies(Job):
    """Takes its worker along, the first ``times`` it is begun."""

    name: str
    folder: str
    times: int = 1
    seconds: float = 0.0

    def run(self, lease):
        time.sleep(self.seconds)
        begun = Path(self.folder, f"{self.name}.begun")
        with begun.open("a", encoding="utf-8") as file:
            file.write("x")
        if len(begun.read_text(encoding="utf-8")) <= self.times:
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome()


@dataclass(frozen=True)
class Pid(Job):
    """Starts a child that sleeps, leaves the numbers of both processes in ``folder/name``, and waits for it."""

    name: str
    folder: str

    def run(self, lease):
        child = subprocess.Popen(["sleep", "600"], start_new_session=True)
        (Path(self.folder) / ".new").write_text(f"{os.getpid()} {child.pid}", encoding="utf-8")
        (Path(self.folder) / ".new").rename(Path(self.folder) / self.name)
        child.wait()
        return Outcome()


@dataclass(frozen=True)
class Sends(Job):
    """Sends a file back."""

    name: str
    folder: str
    path: str = "answer.txt"

    def run(self, lease):
        return Outcome(files={self.path: b"42"})

    def keep(self, files):
        from adkit.batch.shared import unpack

        unpack(files, Path(self.folder))


def notebook(*cells: str, parameters: str | None = "steps: int = 4  # of training\nout: str = ''") -> str:
    """Text of a notebook with a parameters cell and code cells."""
    tagged = [] if parameters is None else [(parameters, ["parameters"])]
    code = [
        {
            "cell_type": "code",
            "source": source,
            "metadata": {"tags": tags},
            "outputs": [],
            "execution_count": None,
            "id": f"c{k}",
        }
        for k, (source, tags) in enumerate([*tagged, *((cell, []) for cell in cells)])
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": code, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
