"""Peak memory of judging one frame, seen from a process of its own: a process knows only the highest it ever had."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import torch

from adkit.detectors.storage import load_detector

STATUS = Path("/proc/self/status")
WORKER = "import sys; from adkit.compare.memory import report; report(*sys.argv[1:4], *map(int, sys.argv[4:]))"


def peak_memory(folder: Path, shape: tuple[int, int, int], device: str = "auto", module: str = "") -> int | None:
    """Bytes that a stored detector adds to a fresh process by being loaded and by judging one image, at its peak.

    Where a GPU judges, its memory is what counts.

    Args:
        folder: of the detector.
        shape: (C, H, W) of the image.
        device: that judges, see :func:`adkit.runtime.resolve_device`.
        module: that registers the detector's method, if adkit does not know it; the process imports it first.

    Returns:
        None on systems that do not tell (Windows without a GPU), and for a method that was registered in a notebook,
        which no other process can import.

    Raises:
        RuntimeError: if the process fails; with the last line that it said.
    """
    if module == "__main__":
        return None
    command = [sys.executable, "-c", WORKER, str(folder), device, module, *map(str, shape)]
    environment = os.environ | ({"PYTHONPATH": os.pathsep.join(sys.path)} if module else {})
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        raise RuntimeError(f"measuring the memory of {folder} ended with code {done.returncode}: {said[-1]}")
    return int(done.stdout.split()[-1]) or None


def report(folder: str, device: str, module: str, *shape: int) -> None:
    """What the process of its own does: load, judge, print the bytes; see :func:`peak_memory`."""
    if module:
        importlib.import_module(module)
    before = highest()
    detector = load_detector(folder, device)
    detector.anomaly_map(torch.full((1, *shape), 0.5))
    on_gpu = detector.device.type == "cuda"
    print(torch.cuda.max_memory_allocated(detector.device) if on_gpu else highest() - before)


def highest() -> int:
    """The most memory that this process ever had, in bytes; 0 where the system does not tell."""
    if STATUS.exists():  # Linux; getrusage would count what the parent had when it forked
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return 1024 * int(line.split()[1])
    try:
        import resource  # Unix only
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts bytes
