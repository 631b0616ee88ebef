"""Marks on images: defect outlines that stay visible when a defect is six pixels wide, fills, and zoom boxes."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import Normal, Stroke
from scipy import ndimage

from adkit.figures.style import GREY, INK, halo

# Inches: a region that comes out shorter than this gets a ring around it.
TINY = 0.2
# More rings would hide the image; the largest regions keep theirs.
MOST_RINGS = 12

# Top, left, height and width, in pixels.
Box = tuple[int, int, int, int]


def show(ax: Axes, image: np.ndarray, title: str = "", **options) -> None:
    """Show an image or a map without ticks, a thin frame around it.

    Args:
        ax: where to show it.
        image: (H, W) or (H, W, 3), as :func:`adkit.figures.style.to_image` makes it.
        title: text above it.
        **options: of matplotlib's ``imshow``; without ``vmin`` the shades run from 0 to 1.
    """
    limits = {"vmin": 0, "vmax": 1} if "vmin" not in options else {}
    ax.imshow(image, **limits, **options)
    ax.set(xticks=[], yticks=[], title=title)
    ax.spines[:].set(visible=True, color=GREY, linewidth=0.6)


def region_boxes(mask: np.ndarray, gap: int = 1) -> list[Box]:
    """The bounding boxes of the 8-connected regions of a mask, largest first.

    Args:
        mask: bool (H, W).
        gap: regions at most so many pixels apart count as one.

    Returns:
        ``(top, left, height, width)`` of each region, in pixels.

    Example:
        >>> mask = np.zeros((9, 9), bool); mask[2:4, 5:8] = True
        >>> region_boxes(mask)
        [(2, 5, 2, 3)]
    """
    labels, _ = ndimage.label(ndimage.maximum_filter(mask, size=gap), structure=np.ones((3, 3)))
    labels[~mask] = 0
    boxes = [(y.start, x.start, y.stop - y.start, x.stop - x.start) for y, x in ndimage.find_objects(labels)]
    return sorted(boxes, key=lambda box: -box[2] * box[3])


def outline(ax: Axes, mask: np.ndarray, colour: str, width: float = 1.2, rings: bool = True) -> None:
    """Show the border of every region of a mask, and a ring around the tiny ones.

    Args:
        ax: where to show them.
        mask: bool (H, W).
        colour: of the lines, as matplotlib takes it.
        width: of the lines, in points.
        rings: put a ring around regions too small to be seen.
    """
    if not mask.any():
        return
    height, length = mask.shape
    # One pixel of nothing around it, so that regions at the frame's edge close.
    padded = np.pad(mask.astype(np.float32), 1)
    x, y = np.arange(-1, length + 1), np.arange(-1, height + 1)
    lines = ax.contour(x, y, padded, levels=[0.5], colors=[colour], linewidths=width)
    lines.set_path_effects(halo(width))
    if rings:
        _ring_tiny(ax, mask, colour, width)
    ax.set(xlim=(-0.5, length - 0.5), ylim=(height - 0.5, -0.5))


def _ring_tiny(ax: Axes, mask: np.ndarray, colour: str, width: float) -> None:
    # About: the layout is not final yet.
    inches = ax.get_position().width * ax.figure.get_size_inches()[0]
    # The same length in pixels of the mask.
    tiny = TINY * mask.shape[1] / inches
    # Dots that one ring can hold get one ring.
    boxes = region_boxes(mask, gap=max(round(tiny), 1))
    for top, left, height, length in [box for box in boxes if max(box[2:]) < 1.5 * tiny][:MOST_RINGS]:
        centre = (left + (length - 1) / 2, top + (height - 1) / 2)
        radius = 0.6 * max(height, length) + 0.5 * tiny
        ring = Circle(centre, radius, fill=False, edgecolor=colour, linewidth=width, clip_on=True)
        ring.set_path_effects(halo(width))
        ax.add_patch(ring)


def brackets(ax: Axes, mask: np.ndarray, colour: str = "white", width: float = 1.2, gap: int = 4) -> None:
    """Mark the regions of a mask by the corners of boxes around them: what lies in a region stays in sight.

    Args:
        ax: where to show them.
        mask: bool (H, W).
        colour: of the lines, as matplotlib takes it.
        width: of the lines, in points.
        gap: pixels between a region and its corners.
    """
    rim = [Stroke(linewidth=width + 1.2, foreground=INK, alpha=0.8), Normal()]
    for top, left, height, length in region_boxes(mask, gap=2 * gap + 1)[:MOST_RINGS]:
        low, high = np.array([left, top]) - gap - 0.5, np.array([left + length, top + height]) + gap - 0.5
        arm = np.clip(0.3 * (high - low), 2, 12)
        for x, inwards in ((low[0], 1), (high[0], -1)):
            for y, down in ((low[1], 1), (high[1], -1)):
                corner = [(x + inwards * arm[0], y), (x, y), (x, y + down * arm[1])]
                (line,) = ax.plot(*zip(*corner, strict=True), color=colour, linewidth=width, clip_on=True)
                line.set_path_effects(rim)
    ax.set(xlim=(-0.5, mask.shape[1] - 0.5), ylim=(mask.shape[0] - 0.5, -0.5))


def fill(image: np.ndarray, mask: np.ndarray, colour: str) -> np.ndarray:
    """The image faded towards white, with a mask filled in a solid colour.

    Args:
        image: (H, W) or (H, W, 3) in [0, 1].
        mask: bool (H, W).
        colour: of the mask, as matplotlib takes it.

    Returns:
        (H, W, 3) in [0, 1].
    """
    faded = 0.55 + 0.45 * (np.stack([image] * 3, axis=-1) if image.ndim == 2 else image)
    faded[mask] = to_rgb(colour)
    return faded


def zoom_box(mask: np.ndarray, smallest: int = 48) -> Box:
    """A square around the largest region of a mask (the frame's centre where there is none), inside the frame.

    Args:
        mask: bool (H, W).
        smallest: least side of the square, in pixels.

    Returns:
        ``(top, left, height, width)``, in pixels.

    Example:
        >>> mask = np.zeros((176, 976), bool); mask[80:90, 500:510] = True
        >>> zoom_box(mask)
        (61, 481, 48, 48)
    """
    height, width = mask.shape
    top, left, tall, long = region_boxes(mask)[0] if mask.any() else (height // 2, width // 2, 0, 0)
    side = min(max(smallest, round(1.5 * max(tall, long))), height, width)
    top = int(np.clip(top + (tall - side) // 2, 0, height - side))
    left = int(np.clip(left + (long - side) // 2, 0, width - side))
    return top, left, side, side


def mark_box(ax: Axes, box: Box, colour: str = INK) -> None:
    """Show the border of a zoom box.

    Args:
        ax: where to show it.
        box: ``(top, left, height, width)``, in pixels.
        colour: of the line, as matplotlib takes it.
    """
    top, left, height, width = box
    look = {"fill": False, "edgecolor": colour, "linewidth": 1.2, "clip_on": False}  # whole at the frame's edge too
    frame = Rectangle((left - 0.5, top - 0.5), width, height, **look)
    frame.set_path_effects(halo(1.2))
    ax.add_patch(frame)
