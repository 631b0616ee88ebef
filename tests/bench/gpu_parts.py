"""What is measured on a GPU, in order of value; each part gives rows, and runs in a process of its own.

Every function takes the device and whether to be tiny: the same lines on the CPU in seconds, to prove that they run.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from unittest.mock import patch

import torch
from torch import nn

from adkit import PatchCoreDetector, VAEDetector, load_dataset, training
from adkit.data.crops import Batch, RandomCrops
from adkit.defects import SyntheticDefects
from adkit.detectors.vae import REFERENCE
from adkit.experiments.record import steps_per_epoch
from adkit.losses import focal_loss, mse
from adkit.models.autoencoder import Autoencoder
from adkit.models.draem import DRAEM
from adkit.models.elbo import ELBOLoss
from adkit.models.vae import VAE
from adkit.runtime import generator, seed_everything
from adkit.training import Training
from tests.bench.bench_training import FRAME, held_out, wait_for
from tests.bench.rows import row, seconds

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
Objective = Callable[[nn.Module, torch.Tensor, Batch], torch.Tensor]


def autoencoder(device: str, tiny: bool) -> list[dict]:
    """The autoencoder of the GPU profiles, width 32, trained to repair synthetic defects."""
    defects = SyntheticDefects()

    def ours(model, batch):
        seen, _, _ = defects(batch.images, batch.foreground, batch.generator())
        return {"loss": mse(model(seen), batch.images)}

    def raw(model, images):
        return mse(model(images), images)

    def build():
        return Autoencoder(width=4 if tiny else 32)

    return [throughput("autoencoder, width 32, all defect types", build, ours, raw, device, tiny, 32)]


def vae(device: str, tiny: bool) -> list[dict]:
    """A VAE of whole frames, with the widths of the reference network as far as 176 divides."""
    elbo = ELBOLoss("mse").to(device)

    def ours(model, batch):
        return elbo(model(batch.images, batch.generator()), batch.images, 1.0)

    def raw(model, images):
        return elbo(model(images), images, 1.0)["loss"]

    def build():
        return VAE(FRAME, 1, latent_dim=8 if tiny else 128, widths=(4, 4, 8, 8) if tiny else (32, 64, 128, 256))

    return [throughput("VAE, widths 32 to 256", build, ours, raw, device, tiny, 32)]


def draem(device: str, tiny: bool) -> list[dict]:
    """DRAEM with the paper's widths, at full resolution."""
    defects = SyntheticDefects(["perlin"], clean=0.5)

    def total(model, seen, masks, images):
        reconstructed, logits = model(seen)
        return mse(reconstructed, images) + focal_loss(logits, masks)

    def ours(model, batch):
        seen, masks, _ = defects(batch.images, batch.foreground, batch.generator())
        return {"loss": total(model, seen, masks, batch.images)}

    def raw(model, images):
        return total(model, images, images[:, 0] > 2, images)

    def build():
        widths = {"width": 4, "segment_width": 4} if tiny else {"width": 128, "segment_width": 64}
        return DRAEM(1, **widths, depth=4, segment_depth=4, stride=1)

    return [throughput("DRAEM, widths 128 and 64, stride 1", build, ours, raw, device, tiny, 8)]


def throughput(what: str, build, ours, raw, device: str, tiny: bool, size: int) -> dict:
    """Images a second that ``fit`` trains on, random frames and defects made on the way, beside a plain torch loop.

    Args:
        what: is trained.
        build: makes the network.
        ours: objective of ``fit``.
        raw: the same loss of ``(model, images)``, on a batch that lies on the device.
        device: where.
        tiny: a few steps.
        size: images a step.
    """
    size, steps = (2, 2) if tiny else (size, 100)
    splits, began, length = load_dataset("textile", category="gabardine"), [], FRAME
    precision = "float32" if device == "cpu" else "bfloat16"

    class Frames(RandomCrops):
        """Whole frames, mirrored at random."""

        def __init__(self, dataset, crop, *rest, **named):
            super().__init__(dataset, length, *rest, **named)

    def timed(model, batch):
        if batch.step in (steps, 2 * steps):
            wait_for(device)
            began.append(time.perf_counter())
        return ours(model, batch)

    settings = Training(2 * steps + 1, size, validate_every=2 * steps + 1, device=device, precision=precision)
    seed_everything(0)
    with patch.object(training, "RandomCrops", Frames), patch.object(training, "fixed_crops", held_out(FRAME)):
        training.fit(build(), splits.train, splits.validation, timed, settings, criterion=ours, quiet=True)
    fitted = size * steps / (began[1] - began[0])

    model = build().to(device)
    optimiser = torch.optim.AdamW(model.parameters(), fused=True)
    images = torch.rand(size, 1, *FRAME, device=device)

    def loop() -> None:
        for _ in range(steps):
            with torch.autocast(device, torch.bfloat16, precision == "bfloat16"):
                loss = raw(model, images)
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
        wait_for(device)

    loop()
    plain = size * steps / seconds(loop)
    note = f"a plain torch loop on one preloaded batch; batch {size}, {precision}, {name_of(device)}"
    return row(f"training, {what}, 976 x 176, images/s", plain, fitted, "≥ 0.9 ×", note, rate=True)


def defects(device: str, tiny: bool) -> list[dict]:
    """Perlin-masked defects, as many a second as fit."""
    count, rounds = (2, 1) if tiny else (256, 50)
    images = torch.rand(count, 3, 256, 256, device=device)
    synthetic, draw = SyntheticDefects(["perlin"]), generator(0, device=device)

    def work() -> None:
        for _ in range(rounds):
            synthetic(images, generator=draw)
        wait_for(device)

    work()
    rate = count * rounds / median(seconds(work) for _ in range(3))
    note = f"batch {count}; 129 a second is anomalib's on a CPU; {name_of(device)}"
    what = "Perlin-masked defects, 3 x 256 x 256, images/s"
    return [row(what, ours=rate, target="129,000", note=note)]


def patchcore(device: str, tiny: bool) -> list[dict]:
    """PatchCore that keeps every patch of every training frame."""
    splits = load_dataset("textile", category="gabardine", image_size=(64, 64) if tiny else None)
    train = splits.train.subset(range(2)) if tiny else splits.train
    detector = PatchCoreDetector(weights=None, max_patches=None, coreset=1.0, device=device, quiet=True)
    fit = seconds(lambda: detector.fit(train, splits.validation))
    images = splits.test[0]["image"][None]
    judge = seconds(lambda: detector.anomaly_map(images), 1 if tiny else 10)
    note = f"{len(detector.memory.bank):,} patches; the fit judges the validation too; {name_of(device)}"
    return [
        row("PatchCore, every patch kept, fit, s", ours=fit, note=note),
        row("PatchCore, every patch kept, one frame of 976 x 176, s", ours=judge, note=note),
    ]


class TimeIsUp(Exception):
    """The reference training has had its time."""


def reference_vae(device: str, tiny: bool, budget: float = 95.0) -> list[dict]:
    """The reference training, 224 x 224 x 3 on the plots, for as many of its 50 epochs as the budget allows."""
    side = 32 if tiny else 224
    splits = load_dataset("plots", image_size=side, channels=3)
    chosen = REFERENCE | ({"crop": side, "widths": [4, 8], "latent_dim": 4} if tiny else {})
    epoch = steps_per_epoch(splits.train, REFERENCE["batch_size"])
    detector = VAEDetector(
        **chosen, steps=epoch if tiny else 50 * epoch, validate_every=epoch, device=device, quiet=True
    )
    began, rows = time.perf_counter(), []

    def watch(entry: dict) -> None:
        rows.append(entry)
        if time.perf_counter() - began > budget:
            raise TimeIsUp

    detector.on_validation = watch
    try:
        detector.learn(splits.train, splits.validation)
    except TimeIsUp:
        pass
    spent = time.perf_counter() - began
    images = REFERENCE["batch_size"] * epoch * len(rows)
    note = f"{len(rows)} of 50 epochs in {spent:.0f} s; validation {rows[0]['validation']:.4g} after the first, "
    note += f"{rows[-1]['validation']:.4g} after the last; {name_of(device)}"
    return [row(f"the reference VAE, {side} x {side} x 3, images/s", ours=images / spent, note=note)]


def notebook(number: str, device: str, tiny: bool, limit: float) -> list[dict]:
    """A notebook of the course with its GPU profile; what is trained when the time is up stays under ADKIT_HOME."""
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    profile = NOTEBOOKS / "params" / ("gpu.yaml" if number == "01" else f"gpu_{number}.yaml")
    out = Path(os.environ.get("ADKIT_HOME") or "runs").absolute() / "bench-gpu" / path.name
    out.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "papermill", str(path), str(out), "-f", str(profile), "-p", "device", device]
    environment = os.environ | {"ADKIT_HEADLESS": "1"} | ({"ADKIT_FAST": "1"} if tiny else {})
    began = time.perf_counter()
    run = subprocess.Popen(
        [*command, "--no-progress-bar", "--cwd", str(out.parent)],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, said = run.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        note = f"stopped after {limit:.0f} s; it goes on where it was when it is run again; {name_of(device)}"
        return [row(f"notebook {number} with its GPU profile, s", note=note)]
    ok = "" if run.returncode == 0 else f"; failed: {said.strip().splitlines()[-1]}"
    spent = time.perf_counter() - began
    return [row(f"notebook {number} with its GPU profile, s", ours=spent, note=f"{name_of(device)}{ok}")]


def notebook_01(device: str, tiny: bool) -> list[dict]:
    """The baseline: losses and latent sizes."""
    return notebook("01", device, tiny, 240 if tiny else 80)


def notebook_10(device: str, tiny: bool) -> list[dict]:
    """DRAEM as wide as the paper's."""
    return notebook("10", device, tiny, 240 if tiny else 80)


def name_of(device: str) -> str:
    """The GPU, or how many threads the CPU has."""
    return torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads of a CPU"


# name → seconds that it may take, and what it is
PARTS: dict[str, tuple[float, Callable[[str, bool], list[dict]]]] = {
    "autoencoder": (50, autoencoder),
    "vae": (45, vae),
    "draem": (60, draem),
    "defects": (30, defects),
    "patchcore": (75, patchcore),
    "reference-vae": (120, reference_vae),
    "notebook-01": (90, notebook_01),
    "notebook-10": (90, notebook_10),
}
