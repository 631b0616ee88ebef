"""One threshold of one anomaly map: what it marks, and where it lies on the ROC and the PRO curve."""

from collections.abc import Mapping

import numpy as np

from adkit.figures.frames import is_wide
from adkit.figures.marks import fill, outline, show
from adkit.figures.style import GREY, INK, PREDICTED, TRUE, WIDTH, new_figure, styled, to_array, to_image

HEIGHTS = {"ROC": "share of the defective pixels", "PRO": "mean share of a region"}


@styled
def operating_point(image, anomaly_map, mask, curves: Mapping, threshold: float, fpr_limit: float = 0.3):
    """A threshold at work: the mask that it predicts, and the point that it makes on each curve.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        anomaly_map: (H, W).
        mask: bool (H, W), the true one.
        curves: name → rates (N,), heights (N,): a curve over the false positive rate, with rates that never fall.
        threshold: a pixel of at least this is predicted as defective.
        fpr_limit: false positive rate up to which PRO counts; what lies beyond is shaded.

    Returns:
        ``(fig, axes)``, axes an array: the frame, then one axes a curve.

    Raises:
        ValueError: if there is no curve, or the mask leaves no normal pixel.

    Example:
        >>> frame = np.linspace(0, 1, 64).reshape(8, 8)
        >>> curve = np.array([0.0, 1.0]), np.array([0.0, 1.0])
        >>> fig, axes = operating_point(frame, frame, frame > 0.9, {"ROC": curve}, 0.5)
        >>> axes[1].get_title(loc="left")
        'ROC: height 0.44 at a false positive rate of 0.439'
    """
    a_map, mask = to_array(anomaly_map), to_array(mask).astype(bool)
    if not curves or mask.all():
        raise ValueError(f"expected a curve and normal pixels, got {len(curves)} curves, all defective: {mask.all()}")
    predicted = a_map >= threshold
    rate = float((predicted & ~mask).sum() / (~mask).sum())
    fig, frame_ax, axes = _layout(mask.shape, len(curves))
    show(frame_ax, fill(to_image(image), predicted, PREDICTED), _caption(predicted, mask, rate))
    outline(frame_ax, mask, TRUE, 1.0)
    for ax, (name, (rates, heights)) in zip(axes, curves.items(), strict=True):
        height = float(np.interp(rate, to_array(rates), to_array(heights)))
        ax.plot(rates, heights, color=INK)
        ax.plot(rate, height, "o", color=INK, markersize=8, fillstyle="none", markeredgewidth=1.6)
        ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
        ax.set(xlim=(-0.02, 1), ylim=(0, 1.03), xlabel="false positive rate of pixels", ylabel=HEIGHTS.get(name, ""))
        ax.set_title(f"{name}: height {height:.2f} at a false positive rate of {rate:.3f}")
        ax.grid()
        if name.startswith("PRO"):
            ax.axvspan(fpr_limit, 1, color="#E9E9E9", zorder=0)
            ax.text(fpr_limit + 0.02, 0.05, "does not count", va="bottom")
    return fig, np.array([frame_ax, *axes])


def _layout(shape: tuple[int, int], curves: int):
    """A figure with the frame above the curves where it is wide, else beside them."""
    if is_wide(shape):
        height = WIDTH * shape[0] / shape[1]
        fig = new_figure(height + 2.7)
        grid = fig.add_gridspec(2, curves, height_ratios=[height + 0.2, 2.5])
        return fig, fig.add_subplot(grid[0, :]), [fig.add_subplot(grid[1, place]) for place in range(curves)]
    fig = new_figure(3.0)
    frame_ax, *axes = fig.subplots(1, 1 + curves)
    return fig, frame_ax, axes


def _caption(predicted: np.ndarray, mask: np.ndarray, rate: float) -> str:
    found = (predicted & mask).sum() / max(mask.sum(), 1)
    precision = (predicted & mask).sum() / max(predicted.sum(), 1)
    shares = f"{100 * found:.0f} % of the defective and {100 * rate:.1f} % of the normal pixels"
    return f"marked: {shares}; precision {precision:.2f}"
