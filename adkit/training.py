"""One readable training loop for every network of the course.

``fit`` knows no loss and no model: an *objective* turns a batch into a loss, a *criterion* says how good the model is
on validation crops, and the loop does the rest: schedule, selection of the best weights, checkpoint and resume.
"""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from adkit.data.crops import Batch, RandomCrops
from adkit.data.dataset import AnomalyDataset
from adkit.runtime import resolve_device, resolve_precision, seed_everything
from adkit.runtime.processes import process_count, process_rank, share_tensors
from adkit.runtime.progress import Progress
from adkit.runtime.training_state import TrainingDiverged, TrainingState
from adkit.runtime.values import above_zero, at_least_zero, check_values, count, flag, whole

__all__ = ["Objective", "Training", "TrainingDiverged", "TrainingState", "fit", "learning_rate"]

Objective = Callable[[nn.Module, Batch], dict[str, Tensor]]  # (model, batch) -> {"loss": scalar, parts…}
UNBOUND = ("device", "precision", "compile")  # change the rounding of a training alone
SCHEDULES = ("one-cycle", "constant")
RULES = (
    (("steps", "batch_size", "crop", "validate_every"), count, "positive; a whole number"),
    (("learning_rate", "gradient_clip"), above_zero, "positive; a finite number"),
    (("weight_decay", "drift"), at_least_zero, "0 or a positive number"),
    (("patience",), lambda value: value is None or count(value), "None or a positive whole number"),
    (("flips", "augment", "compile"), flag, "True or False"),
    (("seed",), whole, "a whole number"),
)


@dataclass(frozen=True)
class Training:
    """Settings of one training run; literals only, so that a configuration is text.

    Args:
        steps: positive integer, optimiser steps in all.
        batch_size: positive integer, crops a step (and a process).
        crop: side of the square training crops, in pixels.
        learning_rate: peak of the one-cycle schedule, or the constant rate, of AdamW.
        weight_decay: of AdamW.
        schedule: ``one-cycle`` (Smith & Topin 2018; always runs to its end) or ``constant``.
        patience: with ``constant``: stop after that many validations without a better one; None: never.
        validate_every: steps between validations, history rows and checkpoints.
        flips: mirror crops at random. Off for images whose direction means something.
        augment: turn crops by up to 5° and scale them by 0.95 to 1.05 as well, see :class:`adkit.data.augment.Augment`.
        drift: strength, at least 0, of changes in light, contrast and focus, see :class:`adkit.data.drift.Drift`.
        gradient_clip: largest gradient norm.
        seed: integer; another seed takes other crops, and the objective draws other random numbers. (Whoever builds the
            model seeds its weights.)
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        precision: ``float32``, ``bfloat16`` (autocast) or ``auto``.
        compile: train through ``torch.compile``: the first step takes up to minutes, the later ones less than without,
            most of all on a GPU. It changes the rounding, and nothing else.

    Raises:
        ValueError: if a setting is out of its range.
    """

    steps: int = 400
    batch_size: int = 16
    crop: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    schedule: str = "one-cycle"
    patience: int | None = None
    validate_every: int = 100
    flips: bool = True
    augment: bool = False
    drift: float = 0.0
    gradient_clip: float = 1.0
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    compile: bool = False

    def __post_init__(self):
        check_values(self, RULES)
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, got {self.schedule!r}")
        if self.patience is not None and self.schedule == "one-cycle":
            raise ValueError("patience stops a run early, and one-cycle must run to its end; use schedule='constant'")


def fit(
    model: nn.Module,
    train: AnomalyDataset,
    validation: AnomalyDataset,
    objective: Objective,
    settings: Training | None = None,
    criterion: Objective | None = None,
    checkpoint: str | Path | None = None,
    label: str = "",
    quiet: bool = False,
    selectable: Callable[[int], bool] | None = None,
    on_validation: Callable[[dict], None] | None = None,
) -> list[dict]:
    """Train a model on random crops; leave it with the weights of its best validation, in evaluation mode.

    Where several processes were launched (``accelerate launch``), each draws its crops from its share of the images, a
    step sees ``batch_size`` crops of each, and all end with the same weights and the same history. The running means of
    BatchNorm are those of the first, which alone writes the checkpoint.

    Args:
        model: maps (B, C, H, W) to whatever the objective expects; changed in place.
        train: normal images.
        validation: held-out normal images; a fixed set of crops of them is what the criterion sees.
        objective: ``objective(model, batch) -> {"loss": scalar, …}``; further entries are reported. What it draws at
            random it should draw from ``batch.generator()``, so that a resumed run draws the same.
        settings: see :class:`Training`.
        criterion: same form as the objective, lower is better; default: the objective itself.
        checkpoint: file to resume from where it exists, written at every validation.
        label: shown on the progress line.
        quiet: show nothing.
        selectable: ``selectable(step) -> bool``, whether the weights of the validation after that step (from 1) may be
            selected; None: all may. Patience runs from the last one that may not. Where none may, the last weights
            stay.
        on_validation: called with each new row of the history, with the model in evaluation mode (in the main process),
            before the checkpoint is written: a run killed between the two comes to that row again, and none is missed.

    Returns:
        The history: one plain dict for each validation, with ``step``, ``loss`` and its parts (means since the last
        row), ``validation`` and ``learning_rate``.

    Raises:
        TrainingDiverged: if the loss is NaN or infinite; the last checkpoint stays as it was.
        ValueError: if the checkpoint was made with other settings.

    Example:
        >>> from adkit import load_dataset
        >>> from adkit.losses import mse
        >>> from adkit.models.autoencoder import Autoencoder
        >>> splits = load_dataset("textile", image_size=(64, 64))
        >>> objective = lambda model, batch: {"loss": mse(model(batch.images), batch.images)}
        >>> settings = Training(steps=2, crop=32, validate_every=1)
        >>> history = fit(Autoencoder(width=4), splits.train, splits.validation, objective, settings, quiet=True)
        >>> [row["step"] for row in history]
        [1, 2]
    """
    # takes a second to import: only who trains pays
    from accelerate import Accelerator

    settings, criterion = settings or Training(), criterion or objective
    # it would remember its first device for good, and ours may change
    accelerator = Accelerator(device_placement=False)
    device = _device(settings.device, accelerator.device)
    autocast = torch.autocast(device.type, torch.bfloat16, resolve_precision(settings.precision, device) == "bfloat16")

    rank, processes = process_rank(), process_count()
    seed_everything(settings.seed + rank)
    model.to(device)
    # fused: one pass through memory for all that a step changes
    rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay, "fused": device.type != "mps"}
    optimiser = torch.optim.AdamW(model.parameters(), **rates)
    plain, model = model, accelerator.prepare(model)
    if settings.compile:
        model = torch.compile(model)
    share = train.subset(range(rank, len(train), processes)) if 1 < processes <= len(train) else train
    crops = RandomCrops(share, (settings.crop,) * 2, settings.batch_size, settings.seed, settings.flips, device)
    held_out = fixed_crops(validation, settings, device)

    run = TrainingState(plain, optimiser, fingerprint(settings), checkpoint)
    with Progress(settings.steps, label, run.step, quiet or not accelerator.is_main_process) as progress:
        while run.step < settings.steps and not run.out_of_patience(settings.patience):
            if not run.model.training:
                model.train()
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(settings, run.step)
            batch = crops.batch(run.step, rank).varied(settings.augment, settings.drift)
            with autocast:
                parts = objective(model, batch)
            parts["loss"].backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimiser.step()
            optimiser.zero_grad()
            run.count(parts)
            if run.step % settings.validate_every == 0 or run.step == settings.steps:
                share_tensors(list(plain.state_dict().values()))
                run.average(lambda sums: accelerator.reduce(sums, "mean"), device)
                with autocast:
                    score = validate(plain, held_out, criterion)
                eligible = selectable is None or selectable(run.step)
                row = run.validated(float(accelerator.reduce(score, "mean")), eligible)  # the same in all processes
                if accelerator.is_main_process:
                    if on_validation is not None:
                        on_validation(row)
                    run.save()
                progress.update(run.step, loss=row["loss"], validation=row["validation"])
    if run.best["weights"] is not None:  # else none was selectable: the last weights stay
        run.model.load_state_dict(run.best["weights"])
    run.model.eval()
    return run.history


def _device(name: str, launched: torch.device) -> torch.device:
    """Where to train: of several processes, each on the device that it was launched for."""
    if process_count() == 1:
        return resolve_device(name)
    if name not in ("auto", launched.type):
        advice = "torchrun with ACCELERATE_USE_CPU=true" if name == "cpu" else "device='auto'"
        raise ValueError(f"device is {name!r}, and the processes were launched for {launched.type}; use {advice}")
    return launched


def learning_rate(settings: Training, step: int) -> float:
    """The rate of a step: constant, or from a 25th up to the peak in 30 % of the steps, then down to 0, by cosines."""
    if settings.schedule == "constant":
        return settings.learning_rate
    warm, progress = 0.3, step / settings.steps
    if progress < warm:
        return settings.learning_rate * (0.04 + 0.96 * (1 - math.cos(math.pi * progress / warm)) / 2)
    return settings.learning_rate * (1 + math.cos(math.pi * (progress - warm) / (1 - warm))) / 2


def fixed_crops(dataset: AnomalyDataset, settings: Training, device: torch.device, batches: int = 4) -> list[Batch]:
    """Batches of validation crops, the same for every seed and every validation of a run."""
    crops = RandomCrops(dataset, (settings.crop,) * 2, max(settings.batch_size, 8), seed=0, flips=False, device=device)
    return [crops.batch(step).varied(drift=settings.drift) for step in range(batches)]


@torch.inference_mode()
def validate(model: nn.Module, batches: list[Batch], criterion: Objective) -> Tensor:
    """Mean of the criterion over fixed batches, a scalar, with the model in evaluation mode."""
    model.eval()
    return torch.stack([criterion(model, batch)["loss"].float() for batch in batches]).mean()


def fingerprint(settings: Training) -> str:
    """A hash of all settings that count and of the number of processes; a checkpoint is only resumed under the same."""
    binding = {name: value for name, value in asdict(settings).items() if name not in UNBOUND}
    if (processes := process_count()) > 1:  # what one process has left keeps its name
        binding["processes"] = processes
    return hashlib.sha256(json.dumps(binding, sort_keys=True).encode()).hexdigest()[:16]
