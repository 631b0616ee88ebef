"""What two processes do together, as ``accelerate launch`` starts them; each leaves what it came to in a file.

Started by :mod:`tests.test_processes`, with a folder as its argument.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from adkit import (
    AutoencoderDetector,
    DRAEMDetector,
    Experiment,
    FilterBankDetector,
    PatchCoreDetector,
    VAEDetector,
    load_dataset,
    load_detector,
    run,
)
from adkit.__main__ import main as adkit_command
from adkit.data import crops
from adkit.detectors.base import Detector
from adkit.detectors.latent import LatentDetector
from adkit.experiments.record import record
from adkit.losses import mse
from adkit.models.autoencoder import Autoencoder
from adkit.runtime.processes import by_first, is_first, process_rank
from adkit.runtime.serialization import tensors_hash
from adkit.training import Training, fit
from tests.conftest import TINY, TINY_DRAEM, TINY_PATCHCORE, TINY_VAE

METHODS = {
    "autoencoder": lambda: AutoencoderDetector(**TINY, defects="perlin"),
    "latent": lambda: LatentDetector(**TINY, depth=2),
    "vae": lambda: VAEDetector(**TINY_VAE),
    "adversarial": lambda: VAEDetector(**TINY_VAE, adversarial=0.1),
    "draem": lambda: DRAEMDetector(**TINY_DRAEM, texture="batch"),
    "patchcore": lambda: PatchCoreDetector(**TINY_PATCHCORE),
    "filterbank": lambda: FilterBankDetector(quiet=True, device="cpu"),
}

COMMAND = ["--dataset", "textile", "--category", "denim", "--image-size", "64", "64", "--device", "cpu", "--quiet"]
COMMAND += ["--set", "width=4", "steps=3", "crop=32"]


def told(detector: Detector) -> dict:
    """What must be the same in both processes."""
    return {
        "weights": tensors_hash({name: value.cpu() for name, value in detector._tensors().items()}),
        "threshold": asdict(detector.image_threshold),
        "pixel_threshold": detector.pixel_threshold,
        "history": detector.history,
    }


def trained(splits, out: Path) -> dict:
    """A network and its history after a training of its own, which goes on from the checkpoint that lies there."""
    model, settings = Autoencoder(width=4), Training(steps=6, crop=32, batch_size=4, validate_every=3, device="cpu")
    history = fit(
        model,
        splits.train,
        splits.validation,
        lambda model, batch: {"loss": mse(model(batch.images), batch.images)},
        settings,
        checkpoint=out / "plain.pt",
        quiet=True,
    )
    return {"weights": tensors_hash(model.state_dict()), "history": history}


def fails() -> None:
    """An error of the first process."""
    raise OSError("the disk is full")


def main(out: Path) -> None:
    """All of it."""
    splits, said, seen = load_dataset("textile", image_size=(64, 64)), {}, []
    original = crops.RandomCrops._copy_in
    crops.RandomCrops._copy_in = lambda self, dataset: (seen.append(dataset.fingerprint), original(self, dataset))
    for name, make in METHODS.items():
        said[name] = told(make().fit(splits.train, splits.validation))
    said["trained"], said["resumed"] = trained(splits, out), trained(splits, out)
    said["share"] = seen[0]  # of the first training's images

    saved = AutoencoderDetector(**TINY).fit(splits.train, splits.validation).save(out / "detector")
    said["loaded"] = told(load_detector(saved, device="cpu"))

    experiment = Experiment(settings={**TINY, "quiet": True}, image_size=(64, 64))
    result = run(experiment, quiet=True)
    again = run(experiment, quiet=True)
    said["run"] = {"folder": result.path.name, "cached": [result.from_cache, again.from_cache]}
    said["run"]["evaluation"] = result.evaluation.as_dict()
    said["record"] = record(AutoencoderDetector(**TINY), splits, out / "recorded", bootstrap=0)["address"]
    said["command"] = adkit_command(["fit", *COMMAND, "--out", str(out / "commanded")])
    try:
        by_first(fails)
    except (OSError, RuntimeError) as error:
        said["error"] = f"{type(error).__name__}: {error}"
    said["answer"] = by_first(lambda: f"from {process_rank()}")
    said["first"] = is_first()
    (out / f"rank{process_rank()}.json").write_text(json.dumps(said), encoding="utf-8")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
