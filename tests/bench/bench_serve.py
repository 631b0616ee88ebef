"""The service under load: ``python -m tests.bench serve``: 20 clients × 200 requests, a small detector, small frames.

A client that is told that the queue is full waits as long as it is told to, and asks again: that is right use, and
counts as such. Live checks go on beside. The rows say what must hold: no 5xx, live checks fast, memory flat.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import numpy as np

from tests.bench.rows import markdown, row

CLIENTS, REQUESTS, FRAME = 20, 200, (64, 96)


def main() -> list[dict]:
    """Start a service, put it under load, and tell how it went."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, images = prepared(Path(temporary))
        command = [
            sys.executable,
            "-m",
            "adkit",
            "serve",
            str(folder),
            "--port",
            "0",
            "--device",
            "cpu",
            "--queue",
            "16",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            port = int(process.stderr.readline().rpartition(":")[2])
            return measured(process.pid, port, images)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def prepared(folder: Path) -> tuple[Path, list[bytes]]:
    """A small detector on disk, and the bytes of some frames."""
    from adkit import AutoencoderDetector, load_dataset
    from adkit.deploy.export.samples import sample_files

    splits = load_dataset("textile", category="gabardine", image_size=FRAME)
    with warnings.catch_warnings(action="ignore"):
        detector = AutoencoderDetector(width=4, steps=20, crop=32, quiet=True).fit(splits.train, splits.validation)
    return detector.save(folder / "detector"), sample_files(FRAME, 1)[:16]


def measured(pid: int, port: int, images: list[bytes]) -> list[dict]:
    """Put a service under load."""
    for data in images:
        ask(port, "POST", "/v1/predict", data)
    memory, seconds, live, done = [resident(pid)], [], [], Event()

    def watch() -> None:
        while not done.is_set():
            start = time.perf_counter()
            ask(port, "GET", "/v2/health/live")
            live.append(time.perf_counter() - start)
            time.sleep(0.02)

    def client(number: int) -> dict[int, int]:
        counts: dict[int, int] = {}
        for i in range(REQUESTS):
            start = time.perf_counter()
            while True:
                status, wait = ask(port, "POST", "/v1/predict", images[(number + i) % len(images)])
                counts[status] = counts.get(status, 0) + 1
                if status != 429:
                    break
                time.sleep(min(wait, 1))
            seconds.append(time.perf_counter() - start)
        return counts

    watcher = Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        counted = list(pool.map(client, range(CLIENTS)))
    took = time.perf_counter() - begin
    done.set()
    watcher.join()
    memory.append(resident(pid))
    totals = {status: sum(counts.get(status, 0) for counts in counted) for status in {s for c in counted for s in c}}
    broken = sum(count for status, count in totals.items() if status >= 500)
    p99, growth = float(np.percentile(live, 99)), memory[1] - memory[0]
    note = json.dumps(totals)
    return [
        row("service, images/s, 20 clients", ours=totals.get(200, 0) / took, note=note),
        row("service, answers 5xx", target="0", note=str(broken)),
        row("service, live check under load, p99, s", ours=p99, target="≤ 0.1", note=f"{len(live)} checks"),
        row("service, memory after, MB", ours=memory[1], target="+ ≤ 10", note=f"{growth:+.1f} over the load, peak "
            f"{resident(pid, 'VmHWM'):.0f}"),
        row("service, request with waiting, p95, s", ours=float(np.percentile(seconds, 95))),
    ]  # fmt: skip


def ask(port: int, method: str, path: str, data: bytes | None = None) -> tuple[int, float]:
    """Status, and how long to wait before asking again."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    try:
        connection.request(method, path, data)
        answer = connection.getresponse()
        answer.read()
        return answer.status, float(answer.headers.get("Retry-After", 0))
    finally:
        connection.close()


def resident(pid: int, name: str = "VmRSS") -> float:
    """Memory of a process in megabytes; NaN where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file() or os.name != "posix":
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith(f"{name}:"))


if __name__ == "__main__":
    print(markdown(main()))
