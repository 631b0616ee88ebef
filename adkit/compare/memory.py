"""Peak memory of judging one frame, seen from a process of its own: a process knows only the highest it ever had."""

import subprocess
import sys
from pathlib import Path

import torch

from adkit.detectors.storage import load_detector

STATUS = Path("/proc/self/status")
WORKER = "import sys; from adkit.compare.memory import report; report(*sys.argv[1:3], *map(int, sys.argv[3:]))"


def peak_memory(folder: Path, shape: tuple[int, int, int], device: str = "auto") -> int | None:
    """Bytes that a stored detector adds to a fresh process by being loaded and by judging one image, at its peak.

    Where a GPU judges, its memory is what counts.

    Args:
        folder: of the detector.
        shape: (C, H, W) of the image.
        device: that judges, see :func:`adkit.runtime.resolve_device`.

    Returns:
        None on systems that do not tell (Windows without a GPU).

    Raises:
        RuntimeError: if the process fails; with the last line that it said.
    """
    command = [sys.executable, "-c", WORKER, str(folder), device, *map(str, shape)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["nothing was said"]
        raise RuntimeError(f"measuring the memory of {folder} ended with code {done.returncode}: {said[-1]}")
    return int(done.stdout.split()[-1]) or None


def report(folder: str, device: str, *shape: int) -> None:
    """What the process of its own does: load, judge, print the bytes."""
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
