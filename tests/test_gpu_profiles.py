"""The values of the GPU profiles, at their full size: every network, mixture and loss that they name can be made.

Names and types of their parameters are checked in test_papermill and test_batch_plan; fast mode would make them small.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from adkit import AutoencoderDetector, DRAEMDetector, Experiment, PatchCoreDetector, VAEDetector
from adkit.compare import METHODS
from adkit.data.textile import FABRICS
from adkit.defects import DEFECT_TYPES
from adkit.detectors.base import Detector
from adkit.detectors.latent import LatentDetector
from adkit.losses import build_loss

FOLDER = Path(__file__).parents[1] / "notebooks" / "params"
PROFILES = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("gpu*.yaml"))}
TRAINING = ("width", "steps", "crop", "batch_size", "learning_rate", "precision")


def shared(chosen: dict) -> dict:
    """The settings of a training that a profile names."""
    return {name: chosen[name] for name in TRAINING if name in chosen} | {"device": "cpu"}


def baselines(chosen: dict) -> Iterator[Detector]:
    for loss in chosen["losses"]:
        yield AutoencoderDetector(**shared(chosen), loss=loss)
    for latent in chosen["latents"]:
        yield AutoencoderDetector(**shared(chosen), latent=latent)


def mixtures(chosen: dict) -> Iterator[Detector]:
    tries = [{"defect_types": [kind]} for kind in chosen["alone"]]
    tries += [{"contrast": pair} for pair in chosen["contrasts"]] + [{"size": pair} for pair in chosen["sizes"]]
    tries += [{"count": pair} for pair in chosen["counts"]] + [{"clean": share} for share in chosen["cleans"]]
    assert set(chosen["alone"]) <= set(DEFECT_TYPES)
    for mixture in tries:
        yield AutoencoderDetector(**shared(chosen), defects=mixture)
    for weight in chosen["repairs"]:
        yield AutoencoderDetector(**shared(chosen), defects="recommended", repair=weight)


def skips(chosen: dict) -> Iterator[Detector]:
    for skip in ("none", "add", "concat", "gated"):
        yield AutoencoderDetector(**shared(chosen), skip=skip)


def losses(chosen: dict) -> Iterator[Detector]:
    for parts in [*([loss] for loss in chosen["losses"]), *map(str.split, chosen["pairs"])]:
        assert build_loss(" + ".join(parts)) is not None
        yield AutoencoderDetector(**shared(chosen), loss=" + ".join(parts))


def latents(chosen: dict) -> Iterator[Detector]:
    for weight in chosen["weights"]:
        yield LatentDetector(**shared(chosen), distance="knn", coreset=chosen["coreset"], residual_weight=weight)


def variational(chosen: dict) -> Iterator[Detector]:
    usual = {name: chosen[name] for name in ("steps", "widths", "batch_size", "precision")} | {"device": "cpu"}
    for beta in chosen["betas"] + chosen["latent_betas"]:
        yield VAEDetector(**usual, beta=beta)
    for nats in chosen["free_bits"]:
        yield VAEDetector(**usual, free_bits=nats)


def screening(chosen: dict) -> Iterator[Detector]:
    plots = {"crop": "size", "latent_dim": "latent", "widths": "widths", "beta": "beta", "annealing": "annealing"}
    plots |= {"batch_size": "batch", "learning_rate": "rate", "weight_decay": "decay", "schedule": "schedule"}
    yield VAEDetector(**{name: chosen[f"plots_{own}"] for name, own in plots.items()}, device="cpu")
    yield VAEDetector(**{name: chosen[name] for name in ("widths", "batch_size", "precision")}, device="cpu")
    assert set(chosen["fabrics"]) <= set(FABRICS)
    assert chosen["layers"] in (18, 34, 50)


def faults(chosen: dict) -> Iterator[Detector]:
    yield AutoencoderDetector(**shared(chosen))
    for beta in chosen["betas"]:
        yield VAEDetector(beta=beta, steps=chosen["steps"], device="cpu")


def patches(chosen: dict) -> Iterator[Detector]:
    yield PatchCoreDetector(**chosen["memory"], backbone="own", own=chosen["own"], device="cpu")
    for size in chosen["sizes"]:
        yield PatchCoreDetector(max_patches=chosen["patches"], coreset=size, backbone="own", device="cpu")
    for neighbours in chosen["neighbours"][1:]:  # 1, the distance alone, is no number that the score can take
        yield PatchCoreDetector(neighbours=neighbours, backbone="own", device="cpu")


def draems(chosen: dict) -> Iterator[Detector]:
    parts = ("width", "segment_width", "depth", "segment_depth")
    network = dict(zip(parts, chosen["widths"] + chosen["depths"], strict=True)) | {"stride": chosen["stride"]}
    for opacity in chosen["opacities"]:
        yield DRAEMDetector(**shared(chosen) | network, opacity=opacity)
    for size in chosen["sizes"]:
        yield DRAEMDetector(**shared(chosen) | network, defects={"defect_types": ["perlin"], "size": size})


def compared(chosen: dict) -> Iterator[Detector]:
    assert set(chosen["few_methods"]) <= set(METHODS)
    for name in chosen["few_methods"]:
        method, settings = METHODS[name]
        yield Experiment(method, settings, seed=chosen["seeds"][-1]).detector()


MADE: dict[str, Callable[[dict], Iterator[Detector]]] = {
    "gpu": baselines,
    "gpu_02": mixtures,
    "gpu_03": skips,
    "gpu_04": losses,
    "gpu_05": latents,
    "gpu_06": variational,
    "gpu_06b": screening,
    "gpu_07": faults,
    "gpu_08": lambda chosen: iter([VAEDetector(**chosen["vae"], device="cpu")]),
    "gpu_09": patches,
    "gpu_10": draems,
    "gpu_11": compared,
    "gpu_12": lambda chosen: iter([AutoencoderDetector(**shared(chosen))]),
}


@pytest.mark.parametrize("name", PROFILES)
def test_all_that_a_profile_names_can_be_made(name):
    chosen = PROFILES[name]
    assert len(list(MADE[name](chosen))) >= 1
    assert chosen["device"] == "cuda"
    assert chosen.get("precision", "bfloat16") == "bfloat16"
    assert all(isinstance(seed, int) for seed in chosen.get("seeds", [0]))
