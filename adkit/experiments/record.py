"""What a training run leaves on disk, so that it can be judged, shown and used again without being run again.

    out/detector/               the best checkpoint: load_detector(out / "detector")
    out/reconstructions/        epoch_0005.png, …: validation normals as the network reconstructed them then
    out/training_history.json   a row for each validation
    out/training_curves.png
    out/predictions/            the test part: a table, and a picture of each image with reconstruction and difference
    out/results.json            metrics, threshold, settings, times; it comes last: a run is over when it is there

Every file is written whole or not at all. A run that was killed goes on from ``out/checkpoint-….pt`` when it is asked
for again; one that is over is read, not run; and of processes that record into one folder, one does so at a time.
"""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from torchvision.utils import make_grid

from adkit import figures
from adkit.data import AnomalyDataset, Splits
from adkit.detectors.base import Detector
from adkit.detectors.folder_report import (
    DIFFERENCE,
    GAP,
    prediction_panels,
    table_row,
    write_picture,
    write_tables,
)
from adkit.detectors.network import NetworkDetector
from adkit.detectors.preprocessing import whole_image
from adkit.experiments import cache
from adkit.experiments.evaluation import evaluate
from adkit.experiments.fitted import UNCOUNTED
from adkit.experiments.sources import source_hash, with_own_defects
from adkit.runtime.processes import led, process_count
from adkit.runtime.progress import progress
from adkit.runtime.serialization import write_json

FOLDERS = ("detector", "reconstructions", "predictions")
RESULTS = "results.json"
FILES = ("training_history.json", "training_curves.png", RESULTS)
JUDGED = ("adkit.data.load", "adkit.experiments.evaluation")  # what a recorded run runs besides reader and detector


def record(
    detector: NetworkDetector,
    splits: Splits,
    out: str | Path,
    every: int = 5,
    shown: int = 4,
    bootstrap: int = 1000,
) -> dict:
    """Train a detector, judge it on the test part, and leave all that is listed above.

    An epoch is as many crops as there are training images: ``ceil(len(splits.train) / batch_size)`` steps. A network is
    looked at when it is validated, so the run validates every ``every`` epochs, whatever ``validate_every`` says.

    Args:
        detector: one that trains a network; its class and its settings count, and it stays as it is.
        splits: what :func:`adkit.load_dataset` returns.
        out: the folder; another run that lies there is replaced.
        every: epochs from one look at the reconstructions to the next, which is also that of the validations; at
            least 1.
        shown: number of validation normals in the pictures of the reconstructions, at least 1.
        bootstrap: number of bootstrap samples for the intervals of the metrics; 0 leaves them out.

    Returns:
        What results.json holds: ``detector``, ``settings``, ``threshold``, ``pixel_threshold``, ``metrics`` (see
        :class:`adkit.experiments.Evaluation`), ``epochs``, ``steps_per_epoch``, ``seconds`` (of this process),
        ``address`` and ``machine``.

    Raises:
        TypeError: if the detector trains no network, so that there is no run to record.
        ValueError: if ``every`` or ``shown`` is not positive.
        FileExistsError: if ``out`` holds results that are not of a recorded run.

    Example:
        >>> import tempfile
        >>> from adkit import AutoencoderDetector, load_dataset
        >>> splits, out = load_dataset("textile", image_size=(64, 64)), tempfile.mkdtemp()
        >>> detector = AutoencoderDetector(width=4, steps=30, crop=32, quiet=True)
        >>> results = record(detector, splits, out, bootstrap=0)
        >>> sorted(path.name for path in Path(out, "reconstructions").iterdir())
        ['epoch_0005.png']
    """
    if not isinstance(detector, NetworkDetector):
        raise TypeError(f"{type(detector).__name__} trains no network: there is no run to record; use fit and evaluate")
    for name, value in {"every": every, "shown": shown}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    out, per_epoch = Path(out), steps_per_epoch(splits.train, detector.training.batch_size * process_count())
    trained = detector.fresh(validate_every=every * per_epoch)
    trained.quiet = detector.quiet
    address = cache.address(_key(trained, splits, shown, bootstrap))
    trained.checkpoint = out / f"checkpoint-{address}.pt"
    trained.on_validation = _painter(
        trained, splits.validation, out / "reconstructions", shown, every * per_epoch, per_epoch
    )

    def fit(value: None) -> None:
        trained.fit(splits.train, splits.validation)

    def work(part: Callable[[None], None]) -> dict:
        def make(alone: bool) -> None:
            if not trained.checkpoint.exists():
                _clear(out)
            results = _train_and_judge(trained, part, splits, out, per_epoch, bootstrap)
            cache.write_result(out / RESULTS, address, results)
            trained.checkpoint.unlink(missing_ok=True)

        return cache.once(out / RESULTS, address, make, lock=out / RESULTS)[0]

    return led(work, fit)


def _train_and_judge(
    trained: NetworkDetector,
    train: Callable[[None], None],
    splits: Splits,
    out: Path,
    per_epoch: int,
    bootstrap: int,
) -> dict:
    """Leave all that a run leaves but ``results.json``, and return what that holds."""
    start = time.perf_counter()
    train(None)
    fitted = time.perf_counter()
    trained.save(out / "detector")
    write_json(out / "training_history.json", trained.history)
    figures.training_curves(trained.history).save(out / "training_curves.png")
    evaluation = evaluate(trained, splits.test, bootstrap=bootstrap)
    seconds = {"fit": fitted - start, "evaluate": time.perf_counter() - fitted}
    write_predictions(trained, splits.test, out / "predictions")
    return {
        "detector": type(trained).__name__,
        "settings": asdict(trained.settings),
        "threshold": asdict(trained.image_threshold),
        "pixel_threshold": trained.pixel_threshold,
        "metrics": evaluation.as_dict(),
        "epochs": trained.history[-1]["step"] / per_epoch,
        "steps_per_epoch": per_epoch,
        "seconds": seconds,
    }


def steps_per_epoch(train: AnomalyDataset, batch_size: int) -> int:
    """Optimiser steps in which a network sees as many crops as there are training images.

    Args:
        train: the training images.
        batch_size: crops a step, at least 1.

    Example:
        >>> from adkit import load_dataset
        >>> steps_per_epoch(load_dataset("textile", category="denim").train, batch_size=32)
        3
    """
    return -(-len(train) // batch_size)


def write_predictions(detector: Detector, test: AnomalyDataset, out: str | Path) -> list[dict]:
    """Judge a test part as :meth:`Detector.predict_folder` judges a folder: two tables, and a picture of each image.

    Args:
        detector: a fitted detector; one that reconstructs nothing gets pictures without reconstruction and difference.
        test: for example ``splits.test``; its images need not lie on disk.
        out: where to write.

    Returns:
        The rows of the tables: those of ``predict_folder``, and ``kind`` and ``picture``, the name of the file.
    """
    rows, out = [], Path(out)
    judged = list(zip(test.groups(), *detector.judge_images(test), strict=True))
    judged = progress(judged, "pictures of the test part", quiet=detector.quiet)
    for number, (group, a_map, score) in enumerate(judged):
        part = test.subset(group)
        prediction = detector.decide(a_map, score)
        name = f"{number:04d}_{part.kinds[0].replace('/', '_')}.png"
        rows.append(table_row(part.paths[0], prediction) | {"kind": part.kinds[0], "picture": name})
        image = whole_image(part, part.groups()[0], [part[i]["image"] for i in range(len(part))])
        reconstructed = detector.reconstruct_images(part)
        panels = prediction_panels(
            image, prediction, detector.pixel_threshold, reconstructed[0] if reconstructed else None
        )
        write_picture(panels, out / name)
    write_tables(detector.summary(), rows, [], out)
    return rows


def _painter(
    detector: NetworkDetector, normals: AnomalyDataset, folder: Path, shown: int, interval: int, per_epoch: int
) -> Callable[[dict], None]:
    """What is called after each validation: it writes a picture if that is ``interval`` steps after the one before."""
    images = [normals[i]["image"] for i in range(min(shown, len(normals)))]
    images = [image for image in images if image.shape == images[0].shape]  # a grid needs one size
    columns = 1 if images[0].shape[-1] > images[0].shape[-2] else 3  # frames wider than high come below one another

    def paint(row: dict) -> None:
        if row["step"] % interval:
            return
        panels = []
        for image in images:
            reconstruction = detector.reconstruct(image[None])[0]
            panels += [image, reconstruction, ((image - reconstruction).abs() / DIFFERENCE).clamp(max=1)]
        grid = make_grid(panels, columns, padding=GAP, pad_value=1)
        pixels = (255 * grid).round().byte().permute(1, 2, 0).numpy()
        write_picture(pixels, folder / f"epoch_{row['step'] // per_epoch:04d}.png")

    return paint


def _key(detector: NetworkDetector, splits: Splits, shown: int, bootstrap: int) -> dict:
    """All that a run leaves depends on."""
    key = {
        "detector": type(detector).__name__,
        "settings": {name: value for name, value in asdict(detector.settings).items() if name not in UNCOUNTED},
        "data": splits.fingerprint,
        "sources": with_own_defects(source_hash(type(detector), splits.name, JUDGED), asdict(detector.settings)),
        "shown": shown,
        "bootstrap": bootstrap,
    }
    processes = process_count()
    return key | {"processes": processes} if processes > 1 else key


def _clear(out: Path) -> None:
    """Take away what another run has left, and nothing else.

    Raises:
        FileExistsError: if there are results that no recorded run has written.
    """
    left = list(out.glob("checkpoint-*.pt"))
    if (out / RESULTS).exists():
        if "address" not in json.loads((out / RESULTS).read_text(encoding="utf-8")):
            raise FileExistsError(f"{out / RESULTS} was not written by a recorded run; choose another folder")
        left += [out / name for name in FILES]
    if left:
        for name in FOLDERS:
            shutil.rmtree(out / name, ignore_errors=True)
    for path in left:
        path.unlink(missing_ok=True)
