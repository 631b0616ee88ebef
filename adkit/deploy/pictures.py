"""Pixels and maps as pictures for a page, without a plotting library: a service box has none."""

import base64
import io

import numpy as np
from PIL import Image

# of matplotlib's inferno (Smith and van der Walt, CC0), every tenth colour or so; between them a straight line
_INFERNO = """
000003 040316 0f092d 1f0c47 300a5c 410967 520e6c 62146e 731a6d 83206b 932567 a32b61 b23259 c23b4f d04544 dc5039
e65e2d ef6d21 f68012 fa9107 fba40a fbb71c f8cb34 f3e056 f1f27d fcfea4
""".split()
_ANCHORS = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in _INFERNO], float)
COLOURS = np.stack(
    [np.interp(np.arange(256), np.rint(np.linspace(0, 255, len(_ANCHORS))), _ANCHORS[:, c]) for c in range(3)], axis=1
).round().astype(np.uint8)  # fmt: skip


def shown(pixels: np.ndarray) -> Image.Image:
    """An image as it is stored, for the eye: 16 bits are shown by their upper 8, or stretched where they use fewer.

    Args:
        pixels: (1 or 3, H, W), uint8 or uint16.
    """
    if pixels.dtype == np.uint16:
        used = 16 if pixels.max() > 4095 else 12
        pixels = (pixels >> (used - 8)).astype(np.uint8)
    return Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def coloured(a_map: np.ndarray, brightest: float) -> Image.Image:
    """A map (H, W), from 0 to the brightest, in the colours of inferno.

    Args:
        a_map: (H, W).
        brightest: value of the brightest colour; the same for all images, or colours mean nothing.
    """
    share = np.clip(a_map / max(brightest, np.finfo(np.float32).tiny), 0, 1)
    return Image.fromarray(COLOURS[np.rint(255 * share).astype(np.uint8)])


def fitted(picture: Image.Image, pixels: int) -> Image.Image:
    """A picture made smaller, if it has more than so many pixels."""
    share = (pixels / (picture.width * picture.height)) ** 0.5
    if share >= 1:
        return picture
    return picture.resize((max(1, round(picture.width * share)), max(1, round(picture.height * share))), Image.BOX)


def data_uri(picture: Image.Image, quality: int = 80, kind: str = "WEBP") -> str:
    """A picture as text that a page can hold.

    Args:
        picture: grey or RGB.
        quality: of WEBP and JPEG, 1 to 95.
        kind: WEBP, JPEG or PNG.
    """
    buffer = io.BytesIO()
    picture.save(buffer, kind, quality=quality)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def outline(mask: np.ndarray, top: int = 0, left: int = 0) -> str:
    """The outline of a mask as an SVG path along the edges of its pixels.

    Args:
        mask: bool (H, W), of one region or of several.
        top: row of its first pixel.
        left: column of its first pixel.

    Example:
        >>> outline(np.ones((2, 3), bool), top=5, left=7)
        'M7 5h3v2h-3z'
    """
    padded = np.pad(mask, 1)
    ways: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # along each edge with the mask on the right hand
    for dy, dx, turn in ((-1, 0, (0, 1)), (1, 0, (0, -1)), (0, 1, (1, 0)), (0, -1, (-1, 0))):
        here = mask & ~padded[1 + dy : 1 + dy + mask.shape[0], 1 + dx : 1 + dx + mask.shape[1]]
        for y, x in np.argwhere(here):
            start = (int(y) + (dy == 1) + (turn[0] == -1), int(x) + (dx == 1) + (turn[1] == -1))
            ways.setdefault(start, []).append(turn)
    return "".join(_loop(ways, top, left) for _ in iter(lambda: bool(ways), False))


def _loop(ways: dict[tuple[int, int], list[tuple[int, int]]], top: int, left: int) -> str:
    """One closed way, taken out of those that are left."""
    start = y, x = next(iter(ways))
    steps: list[list] = []
    turn = None
    while True:
        turns = ways[y, x]
        # at a corner that two pixels share, turn left, so that both stay in one outline
        left_turn = turn and (-turn[1], turn[0])
        turn = turns.pop(turns.index(left_turn) if left_turn in turns else 0)
        if not turns:
            del ways[y, x]
        if steps and steps[-1][0] == turn:
            steps[-1][1] += 1
        else:
            steps.append([turn, 1])
        y, x = y + turn[0], x + turn[1]
        if (y, x) == start and start not in ways:
            break
    text = "".join(f"{'v' if dy else 'h'}{(dy or dx) * length}" for (dy, dx), length in steps[:-1])
    return f"M{left + start[1]} {top + start[0]}{text}z"
