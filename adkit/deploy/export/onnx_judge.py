"""An exported detector, judged by ONNX Runtime: the network as a graph, all else the same steps in numpy. No torch."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from adkit.data.foreground import foreground_of, full_foreground, resolve_foreground
from adkit.data.read import storable, to_channels
from adkit.data.resize import pad, resize_foreground, resize_mask
from adkit.data.tiling import tile_positions
from adkit.deploy.export.arrays import mirrored_to, resized, stitched
from adkit.deploy.extras import require
from adkit.deploy.model_folder import EXPORT_FILE, ONNX_FILE, Raw, own_policy, read_description

RESIDUALS = {
    "l1": lambda image, other: np.abs(image - other).mean(axis=1),
    "l2": lambda image, other: np.square(image - other).mean(axis=1),
}
SCORES = {"max": np.max, "mean": np.mean}
# pixels that go through a network at once
CHUNK = 2**18


@dataclass(frozen=True)
class Core:
    """What the graph gives, and what has to be done before and after it.

    Attributes:
        output: ``reconstruction``, (B, C, H, W), or ``logits``, (B, 1, H, W).
        multiple: both sides of what goes in divide by it.
        window: side of the square windows that go in; None: whole images.
        overlap: pixels that neighbouring windows share.
        residual: how image and reconstruction are compared: l1 or l2.
        smoothing: standard deviation of the Gaussian on the map.
        score: max or mean.
    """

    output: str
    multiple: int = 1
    window: int | None = None
    overlap: int = 0
    residual: str = "l2"
    smoothing: float = 0.0
    score: str = "max"


class OnnxJudge:
    """A folder that :func:`adkit.deploy.export_onnx` has written.

    Args:
        folder: with ``model.onnx``, ``export.json`` and ``detector.json``.
        threads: that compute one image.
        arena: let the runtime keep memory between images; faster, and larger.

    Raises:
        ImportError: if onnxruntime is not installed; it says what to install.
        FileNotFoundError: if a file is missing.
        ValueError: if one is damaged or does not belong to the others.
    """

    platform = "adkit_onnx"

    def __init__(self, folder: str | Path, threads: int = 1, arena: bool = False):
        runtime = require("onnxruntime", "onnx")
        folder = Path(folder)
        self.description = read_description(folder)
        exported = _read_export(folder)
        self.core = Core(**exported["core"])
        self.name, self.sha256 = self.description["detector"], exported["weights_sha256"]
        self.policy = own_policy(self.description, self.sha256)
        self.steps = self.description["preprocessing"]
        self.channels: int = self.steps["channels"]
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.enable_cpu_mem_arena = arena
        options.log_severity_level = 3
        graph = (folder / ONNX_FILE).read_bytes()
        self.session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def judge(self, pixels: np.ndarray) -> Raw:
        """Judge an image as it is stored, (1 or 3, H, W), uint8 or uint16."""
        image, inside, frame = self._prepared(pixels)
        tile = tuple(self.steps["tile"]) if self.steps["tile"] else None
        corners = tile_positions(frame, tile, self.steps["overlap"]) if tile else [(0, 0)]
        height, width = tile or frame
        maps, scores = [], []
        for top, left in corners:
            place = (..., slice(top, top + height), slice(left, left + width))
            a_map = self.anomaly_map(image[place][None])[0] * inside[place]
            scored = inside[place] if inside[place].any() else np.ones_like(inside[place])
            scores.append(float(SCORES[self.core.score](a_map[scored])))
            maps.append(a_map)
        whole = stitched(maps, corners, frame, self.steps.get("blend", False))
        size = pixels.shape[1:]
        whole = whole if frame == size else resized(whole, size)
        plain = self.steps["foreground"] == "all"
        return Raw(max(scores), whole, None if plain else resize_mask(inside[: frame[0], : frame[1]], size))

    def _prepared(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
        """The image as float32 (C, H, W) in [0, 1] and its foreground, both padded, and the size without padding."""
        bits = self.steps.get("bits")
        kind = np.dtype(np.uint8) if bits is None and pixels.dtype == np.uint8 else np.dtype(np.float32)
        pixels = storable(to_channels(pixels, self.channels), kind, bits or 16)
        frame = tuple(self.steps["resize"] or pixels.shape[1:])
        find, smallest = resolve_foreground(self.steps["foreground"]), tuple(self.steps["tile"] or (1, 1))
        inside = np.ones(frame, bool)
        if find is not full_foreground:
            grey = pixels if kind == np.float32 else pixels.astype(np.float32) / np.float32(255)
            inside = resize_foreground(foreground_of(grey, find), frame)
        if pixels.shape[1:] != frame:
            smaller = resized(pixels.astype(np.float32), frame)
            pixels = np.rint(smaller).astype(np.uint8) if kind == np.uint8 else smaller
        padded = tuple(max(side, least) for side, least in zip(frame, smallest, strict=True))
        image = pad(pixels, padded, "reflect")
        image = image if kind == np.float32 else image.astype(np.float32) / np.float32(255)
        return image, pad(inside, padded, "constant"), frame

    def anomaly_map(self, images: np.ndarray) -> np.ndarray:
        """Maps (B, H, W) of images (B, C, H, W), float32 in [0, 1]."""
        core, size = self.core, images.shape[-2:]
        output = self._windowed(images) if core.window else self._whole(images)
        if core.output == "logits":
            maps = np.logaddexp(0, output[:, 0])
        else:
            maps = RESIDUALS[core.residual](images, output)
        maps = maps.astype(np.float32)[:, : size[0], : size[1]]
        if not core.smoothing:
            return maps
        return np.stack([ndimage.gaussian_filter(one.astype(np.float64), core.smoothing) for one in maps]).astype(
            np.float32
        )

    def _whole(self, images: np.ndarray) -> np.ndarray:
        height, width = images.shape[-2:]
        multiple = self.core.multiple
        padded = mirrored_to(images, (-(-height // multiple) * multiple, -(-width // multiple) * multiple))
        return self._run(padded)[..., :height, :width]

    def _windowed(self, images: np.ndarray) -> np.ndarray:
        side, size = self.core.window, images.shape[-2:]
        corners = tile_positions(size, (side, side), self.core.overlap)
        padded = mirrored_to(images, tuple(max(length, side) for length in size))
        windows = np.concatenate([padded[..., y : y + side, x : x + side] for y, x in corners])
        at_once = max(1, CHUNK // windows[0].size)
        parts = [self._run(windows[i : i + at_once]) for i in range(0, len(windows), at_once)]
        tiles = np.concatenate(parts).reshape(len(corners), len(images), *parts[0].shape[1:])
        return stitched(list(tiles), corners, size, blend=False)

    def _run(self, images: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"images": np.ascontiguousarray(images, np.float32)})[0]


def _read_export(folder: Path) -> dict:
    path = folder / EXPORT_FILE
    if not path.is_file() or not (folder / ONNX_FILE).is_file():
        raise FileNotFoundError(f"no exported detector at {folder}: expected {ONNX_FILE} and {EXPORT_FILE}")
    exported = json.loads(path.read_text(encoding="utf-8"))
    with (folder / ONNX_FILE).open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != exported["onnx_sha256"]:
        raise ValueError(f"{folder / ONNX_FILE} is not the one that was exported; export the detector again")
    return exported
