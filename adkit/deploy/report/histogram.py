"""Scores of the images beside those of normal ones, as an SVG drawing that follows the page's colours."""

from collections.abc import Callable, Sequence

import numpy as np

from adkit.scoring.policy import Policy

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1000, 230, 46, 16, 26, 34
BINS = 40


def histogram(scores: Sequence[float], normals: Sequence[float], policy: Policy) -> str:
    """Both distributions in per cent, the image threshold, and the band for review; a wide range on a log scale.

    Args:
        scores: of the images, at least one.
        normals: of the detector's normal images; empty where they are not known.
        policy: whose image threshold is drawn.
    """
    everything = np.array([*scores, *normals, policy.image_threshold])
    logarithmic = bool(everything.min() > 0 and everything.max() > 8 * everything.min())
    scale, back = (np.log, np.exp) if logarithmic else (np.asarray, np.asarray)
    low, high = (float(scale(value)) for value in (everything.min(), everything.max()))
    margin = 0.04 * (high - low) or 0.5 * abs(high) or 0.5
    edges = np.linspace(low - margin, high + margin, BINS + 1)
    shares = {name: _shares(scale(np.asarray(values, float)), edges) for name, values in
              (("images", scores), ("normals", normals))}  # fmt: skip
    top = max(float(share.max(initial=0)) for share in shares.values()) or 1.0

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - edges[0]) / (edges[-1] - edges[0])

    def y(share: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share / top

    parts = []
    if policy.review:
        start, end = (_within(scale, value, edges) for value in policy.review)
        parts.append(
            f'<rect x="{x(start):.1f}" y="{TOP}" width="{max(x(end) - x(start), 1):.1f}" '
            f'height="{HEIGHT - TOP - BOTTOM}" fill="var(--lookbg)"/>'
        )
    for left, right, share in zip(edges[:-1], edges[1:], shares["images"], strict=True):
        if share:
            parts.append(
                f'<rect x="{x(left) + 1:.1f}" y="{y(share):.1f}" width="{x(right) - x(left) - 2:.1f}" '
                f'height="{HEIGHT - BOTTOM - y(share):.1f}" fill="var(--blue)" opacity=".75"/>'
            )
    if len(normals):
        points = [
            f"{'M' if i == 0 else 'L'}{x(left):.1f} {y(share):.1f}H{x(right):.1f}"
            for i, (left, right, share) in enumerate(zip(edges[:-1], edges[1:], shares["normals"], strict=True))
        ]
        parts.append(f'<path d="{"".join(points)}" fill="none" stroke="var(--good)" stroke-width="2"/>')
    parts += _axis(x, edges, back, logarithmic) + _marks(x(scale(policy.image_threshold)), policy)
    label = f"{len(scores)} images (bars)" + f" and {len(normals)} normal images (line)" * bool(len(normals))
    legend = (
        f'<text x="{LEFT}" y="16"><tspan fill="var(--blue)" font-weight="600">■ these {len(scores)} images</tspan>'
        + f'  <tspan fill="var(--good)" font-weight="600" dx="12">━ {len(normals)} normal images</tspan>'
        * bool(len(normals))
        + "</text>"
    )
    return (
        f'<svg class="hist" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Histogram of the scores: {label}; '
        f'threshold {policy.image_threshold:.4g}">{legend}{"".join(parts)}</svg>'
    )


def _shares(values: Sequence[float], edges: np.ndarray) -> np.ndarray:
    counts = np.histogram(np.asarray(values, float), edges)[0]
    return 100 * counts / max(counts.sum(), 1)


def _marks(at: float, policy: Policy) -> list[str]:
    anchor, shift = ("end", -6) if at > WIDTH / 2 else ("start", 6)
    return [
        f'<path d="M{at:.1f} {TOP - 4}V{HEIGHT - BOTTOM}" stroke="var(--ink)" stroke-dasharray="5 3"/>',
        f'<text class="strong" x="{at + shift:.1f}" y="{TOP + 8}" text-anchor="{anchor}">threshold '
        f"{policy.image_threshold:.4g}</text>",
    ]


def _axis(x: Callable, edges: np.ndarray, back: Callable, logarithmic: bool) -> list[str]:
    base = HEIGHT - BOTTOM
    parts = [f'<path d="M{LEFT} {base}H{WIDTH - RIGHT}" stroke="var(--line)"/>']
    for value in np.linspace(edges[0], edges[-1], 9)[1:-1]:
        parts.append(f'<text x="{x(value):.1f}" y="{base + 15}" text-anchor="middle">{float(back(value)):.2g}</text>')
    words = "image score (log scale)" if logarithmic else "image score"
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{words}</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{TOP + 8}" text-anchor="end">share</text>')
    return parts


def _within(scale: Callable, value: float, edges: np.ndarray) -> float:
    """A value on the scale, within its ends; what a log scale does not know lies at its lower end."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.clip(np.nan_to_num(scale(value), nan=edges[0]), edges[0], edges[-1]))
