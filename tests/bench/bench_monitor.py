"""False alarms and delays of the drift monitor: ``python -m tests.bench monitor``. Counts, no clock; some minutes.

On a quiet line nothing changes: scores are log-normal, brightness and sharpness normal, the threshold is the 95th
percentile of the line's own normals. On the other lines something does, from the first image on or in the frames.
"""

import dataclasses

import numpy as np
from scipy import ndimage

from adkit.data import Textile
from adkit.deploy import Monitor, Reference
from adkit.deploy.monitoring.quality import input_quality
from tests.bench.rows import markdown, row

LINES, WINDOWS, WINDOW, SPREAD = 400, 40, 200, 0.3
FRAMES, CLOTH = 100, "gabardine"
PLAIN = input_quality(np.random.default_rng(0).integers(60, 200, (1, 9, 9), dtype=np.uint8))


def main() -> list[dict]:
    """Rows: a camera that changes, scores that shift, and lines on which nothing changes."""
    return [*camera(), *(shifted(n, shift) for n in (40, 200) for shift in (0.15, 0.3)), *(quiet(n) for n in (40, 200))]


def line(rng: np.random.Generator, normals: int) -> Monitor:
    """A monitor that knows so many normal images."""
    scores = rng.lognormal(sigma=SPREAD, size=normals)
    means, sharpness = rng.normal(0.5, 0.02, normals), rng.normal(1.0, 0.05, normals)
    known = Reference(tuple(scores), tuple(means), tuple(sharpness))
    return Monitor(known, float(np.percentile(scores, 95)), WINDOW)


def run(monitor: Monitor, rng: np.random.Generator, windows: int, shift: float = 0.0) -> list:
    """Alerts of so many windows whose scores are larger by exp(shift)."""
    count, alerts = windows * WINDOW, []
    columns = rng.lognormal(shift, SPREAD, count), rng.normal(0.5, 0.02, count), rng.normal(1.0, 0.05, count)
    for number, (score, mean, sharp) in enumerate(zip(*columns, strict=True)):
        quality = dataclasses.replace(PLAIN, mean=float(mean), sharpness=float(sharp), sha256=str(number))
        verdict = "anomalous" if score >= monitor.threshold else "normal"
        alerts += monitor.add(verdict, float(score), quality)
    return alerts


def quiet(normals: int) -> dict:
    """The share of lines that alarm at least once although nothing changes."""
    rng, alarmed, windows, kinds = np.random.default_rng(normals), 0, 0, {}
    for _ in range(LINES):
        alerts = run(monitor := line(rng, normals), rng, WINDOWS)
        alarmed, windows = alarmed + bool(alerts), windows + len({alert.at for alert in alerts})
        for alert in alerts:
            kinds[alert.kind] = kinds.get(alert.kind, 0) + 1
    note = f"{alarmed} of {LINES} lines, {windows} of {LINES * WINDOWS} windows {kinds}"
    note += f"; an alarm rate is seen from about {monitor.blind_below:.0%} on"
    what = f"monitor, {normals} normals, nothing changes: share of lines that alarm in {WINDOWS} windows"
    return row(what, ours=alarmed / LINES, target="≤ 0.05", note=note)


def shifted(normals: int, shift: float) -> dict:
    """The share of lines that find a shift of the scores within two windows."""
    rng, first = np.random.default_rng(normals), []
    for _ in range(LINES // 4):
        alerts = run(line(rng, normals), rng, 5, shift)
        first.append(alerts[0].at // WINDOW if alerts else 6)
    found = [f"{sum(at <= windows for at in first)} after {windows}" for windows in (1, 2, 5)]
    what = f"monitor, {normals} normals, scores x {np.exp(shift):.2f}: share of lines that find it within two windows"
    ours = sum(at <= 2 for at in first) / len(first)
    return row(what, ours=ours, note=f"of {len(first)} lines {', '.join(found)} windows of {WINDOW}")


def frame(index: int, change=None) -> np.ndarray:
    """A clean frame as a camera stores it, (1, H, W) uint8, perhaps changed."""
    image = WEAVER.weave(10_000 + index)[0].astype(float)
    return np.clip(image if change is None else change(image), 0, 255).round().astype(np.uint8)[None]


WEAVER = Textile(CLOTH)
CHANGES = {
    "lamp at 85 %": lambda image: 0.85 * image,
    "blur, sigma 1.5": lambda image: ndimage.gaussian_filter(image, 1.5),
}


def camera() -> list[dict]:
    """Frames until an alarm after the camera has changed; the scores stay as they were."""
    rng, rows = np.random.default_rng(0), []
    known = Reference.of(rng.lognormal(sigma=SPREAD, size=40), [input_quality(frame(i)) for i in range(40)])
    fixed = frame(0)
    lines = {name: [frame(1000 + i, change) for i in range(40)] for name, change in CHANGES.items()}
    lines |= {"one frame again and again": [fixed] * 40}
    calm = [frame(100 + i) for i in range(FRAMES)]
    for name, changed in lines.items():
        monitor, alerts = Monitor(known, float("inf"), 50), []
        for pixels in [*calm, *changed]:
            quality = input_quality(pixels)
            score = rng.lognormal(sigma=SPREAD)
            alerts += monitor.add("normal", score, quality, known.warnings(quality))
        early = sum(alert.at <= FRAMES for alert in alerts)
        late = next((alert for alert in alerts if alert.at > FRAMES), None)
        note = f"{late.kind if late else 'nothing'} first; {early} alarms in {FRAMES} frames before"
        rows.append(row(f"monitor, {name}: frames until an alarm", ours=late.at - FRAMES if late else None,
                        target="≤ 20", note=note))  # fmt: skip
    return rows


if __name__ == "__main__":
    print(markdown(main()))
