"""What is measured against its size: one entry of ``CURVES`` each, with what to use where it stops."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from adkit import AutoencoderDetector, FilterBankDetector, PatchCoreDetector, load_dataset, training
from adkit.data.textile import Textile
from adkit.defects import SyntheticDefects
from adkit.losses import mse
from adkit.metrics import StreamingPixelMetrics, pixel_metrics
from adkit.models.autoencoder import Autoencoder
from adkit.models.memory import greedy_coreset, nearest
from adkit.runtime import generator
from adkit.training import Training
from tests.metric_references import DISTRIBUTIONS, blobs

FRAME = (176, 976)
# height and width of what is scored: a frame, and up to a scan of 20,000 x 10,000 pixels
SCANS = {h * w: (h, w) for h, w in (FRAME, (880, 1952), (2500, 5000), (5000, 10_000), (10_000, 20_000))}
DIMENSIONS = 152  # of a patch's features
Work = Callable[[], object]


@dataclass(frozen=True)
class Curve:
    """A cost against a size.

    Attributes:
        what: is done.
        unit: of the size.
        sizes: growing.
        prepare: ``prepare(size)`` makes all that is not timed, and returns the work that is.
        beyond: what to use where it takes too long or too much memory.
        power: of the size, with which memory grows: 2 where it is the side of a square.
    """

    what: str
    unit: str
    sizes: tuple[int, ...]
    prepare: Callable[[int], Work]
    beyond: str
    power: int = 1


@lru_cache(maxsize=1)
def normals():
    """Training and validation frames of the textile."""
    splits = load_dataset("textile", category="gabardine")
    return splits.train, splits.validation


def trained(steps: int, crop: int) -> Work:
    """A training of a small autoencoder; 16 crops a step."""
    train, validation = normals()
    settings = Training(steps, 16, crop, validate_every=steps, device="cpu")
    model = Autoencoder(width=16)

    def objective(model, batch):
        return {"loss": mse(model(batch.images), batch.images)}

    return lambda: training.fit(model, train, validation, objective, settings, quiet=True)


@lru_cache(maxsize=1)
def fitted(kind: type, tile: int | None):
    """A detector that scores; how well does not matter here."""
    # no image_size: what is scored must not be resized before it is cut
    splits = load_dataset("textile", category="gabardine", tile=(FRAME[0], tile) if tile else None)
    settings = {"steps": 2, "width": 16} if kind is AutoencoderDetector else {}
    few = [part.subset(range(min(len(part), 24))) for part in (splits.train, splits.validation)]
    with warnings.catch_warnings(action="ignore"):  # that few images make no threshold
        return kind(**settings, device="cpu", quiet=True).fit(*few)


def scored(kind: type, tile: int | None = None) -> Callable[[int], Work]:
    """Scoring of one image, a file or an array, as ``predict`` does."""

    def prepare(pixels: int) -> Work:
        detector, (height, width) = fitted(kind, tile), SCANS[pixels]
        cloth, _ = Textile("gabardine", (512, 512)).weave(0)
        image = np.tile(cloth, (-(-height // 512), -(-width // 512)))[:height, :width].astype(np.float32) / 255
        return lambda: detector.predict(image)

    return prepare


def remembered(images: int) -> Work:
    """A fit of PatchCore with its defaults, but with random weights, which cost the same."""
    train, validation = normals()
    detector = PatchCoreDetector(weights=None, device="cpu", quiet=True)
    parts = train.subset(range(images)), validation.subset(range(20))
    return lambda: detector.fit(*parts)


def chosen(patches: int) -> Work:
    """The choice of a coreset of 2 %."""
    features = torch.randn(patches, DIMENSIONS, generator=generator(0))
    return lambda: greedy_coreset(features, 0.02, generator=generator(1))


def searched(memory: int) -> Work:
    """The search for the nearest patch of a memory, for each of a frame's cells of 2 x 2 pixels."""
    bank, queries = (torch.randn(n, DIMENSIONS, generator=generator(n)) for n in (memory, FRAME[0] * FRAME[1] // 4))
    return lambda: nearest(queries, bank)


@lru_cache(maxsize=1)
def judged_frames() -> tuple[np.ndarray, np.ndarray]:
    """Masks and maps of 100 frames, 50 with defects."""
    rng = np.random.default_rng(0)
    masks = blobs(rng, 100, *FRAME, 50)
    return masks, DISTRIBUTIONS["k-NN"](rng, masks).astype(np.float32)


def streamed(frames: int) -> Work:
    """Pixel metrics that are updated by ten frames at a time; after 100 frames the same ones come again."""
    masks, maps = judged_frames()

    def work() -> object:
        stream = StreamingPixelMetrics()
        for first in range(0, frames, 10):
            at = slice(first % 100, first % 100 + 10)
            stream.update(masks[at], maps[at])
        return stream.compute()

    return work


def exact(frames: int) -> Work:
    """Exact pixel metrics of all frames at once."""
    masks, maps = (np.resize(part, (frames, *FRAME)) for part in judged_frames())
    return lambda: pixel_metrics(masks, maps)


def corrupted(side: int) -> Work:
    """Synthetic defects of all kinds in eight images."""
    images, draw = torch.rand(8, 1, side, side, generator=generator(0)), generator(1)
    defects = SyntheticDefects()
    return lambda: defects(images, generator=draw)


def woven(pixels: int) -> Work:
    """One frame of cloth with a defect."""
    textile = Textile("gabardine", SCANS[pixels])
    return lambda: textile.weave(0, "dark")


TILES = "cut tiles when the detector is fitted: load_dataset(tile=512), and predict cuts and stitches by itself"
CURVES = {
    "training-steps": Curve(
        "training an autoencoder, 16 crops of 64 x 64 a step", "steps", (10, 20, 40, 80),
        lambda steps: trained(steps, 64), "a GPU (device='cuda', precision='bfloat16', compile=True)",
    ),
    "training-crop": Curve(
        "training an autoencoder, 5 steps of 16 square crops", "side of the crop", (32, 64, 128, 256),
        lambda crop: trained(5, crop), "smaller crops: the network is the same for every size; or a GPU", power=2,
    ),
    "filterbank": Curve(
        "scoring, filter bank, image in one piece", "pixels", tuple(SCANS), scored(FilterBankDetector), TILES,
    ),
    "filterbank-tiles": Curve(
        "scoring, filter bank, tiles of 176 x 256", "pixels", tuple(SCANS), scored(FilterBankDetector, 256),
        "more instances of the service, or adkit.batch over strips of the scan",
    ),
    "autoencoder": Curve(
        "scoring, autoencoder of width 16, image in one piece", "pixels", tuple(SCANS), scored(AutoencoderDetector),
        TILES,
    ),
    "autoencoder-tiles": Curve(
        "scoring, autoencoder of width 16, tiles of 176 x 256", "pixels", tuple(SCANS),
        scored(AutoencoderDetector, 256),
        "a GPU, or adkit.batch over strips of the scan",
    ),
    "patchcore-fit": Curve(
        "PatchCore, fit with its defaults (50,000 patches drawn, 2 % kept)", "images", (4, 8, 16), remembered,
        "max_patches bounds the coreset; features are taken image by image",
    ),
    "patchcore-coreset": Curve(
        "PatchCore, coreset of 2 %", "patches", (12_500, 25_000, 50_000), chosen,
        "max_patches draws fewer first (default 50,000); or a GPU",
    ),
    "patchcore-query": Curve(
        "PatchCore, a frame's 42,944 patches against the memory", "patches in memory", (1000, 4000, 16_000, 64_000),
        searched, "a smaller coreset, or a GPU",
    ),
    "metrics-streaming": Curve(
        "pixel metrics, streaming, frames of 176 x 976", "frames", (100, 300, 1000, 3000, 10_000), streamed,
        "one stream a process or machine, and merge(): it is exact",
    ),
    "metrics-exact": Curve(
        "pixel metrics, exact, frames of 176 x 976", "frames", (50, 100, 200), exact,
        "StreamingPixelMetrics: memory that does not grow, and bounds that hold",
    ),
    "defects": Curve(
        "synthetic defects of all kinds in 8 images", "side", (64, 128, 256, 512, 1024), corrupted,
        "a GPU: nothing in them waits for the host", power=2,
    ),
    "textile": Curve(
        "weaving one frame of gabardine with a dark defect", "pixels", tuple(SCANS)[:4], woven,
        "several frames: adkit.batch over seeds; a wide scan: frames side by side",
    ),
}  # fmt: skip
