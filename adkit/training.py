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
from adkit.runtime.checkpoint import read_checkpoint, write_checkpoint
from adkit.runtime.progress import Progress
from adkit.runtime.values import above_zero, at_least_zero, check_values, count, flag, whole

Objective = Callable[[nn.Module, Batch], dict[str, Tensor]]  # (model, batch) -> {"loss": scalar, parts…}
STATE = ("settings", "step", "history", "best", "model", "optimiser", "random")  # of a checkpoint
SCHEDULES = ("one-cycle", "constant")
RULES = (
    (("steps", "batch_size", "crop", "validate_every"), count, "positive; a whole number"),
    (("learning_rate", "gradient_clip"), above_zero, "positive; a finite number"),
    (("weight_decay", "drift"), at_least_zero, "0 or a positive number"),
    (("patience",), lambda value: value is None or count(value), "None or a positive whole number"),
    (("flips", "augment"), flag, "True or False"),
    (("seed",), whole, "a whole number"),
)


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number."""


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
    device = accelerator.device if accelerator.num_processes > 1 else resolve_device(settings.device)
    autocast = torch.autocast(device.type, torch.bfloat16, resolve_precision(settings.precision, device) == "bfloat16")

    seed_everything(settings.seed + accelerator.process_index)
    model.to(device)
    # fused: one pass through memory for all that a step changes
    rates = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay, "fused": device.type != "mps"}
    optimiser = torch.optim.AdamW(model.parameters(), **rates)
    model = accelerator.prepare(model)
    crops = RandomCrops(train, (settings.crop,) * 2, settings.batch_size, settings.seed, settings.flips, device)
    held_out = fixed_crops(validation, settings, device)

    run = TrainingState(accelerator.unwrap_model(model), optimiser, fingerprint(settings), checkpoint)
    with Progress(settings.steps, label, run.step, quiet or not accelerator.is_main_process) as progress:
        while run.step < settings.steps and not run.out_of_patience(settings.patience):
            if not run.model.training:
                model.train()
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(settings, run.step)
            batch = crops.batch(run.step, accelerator.process_index).varied(settings.augment, settings.drift)
            with autocast:
                parts = objective(model, batch)
            parts["loss"].backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings.gradient_clip)
            optimiser.step()
            optimiser.zero_grad()
            run.count(parts)
            if run.step % settings.validate_every == 0 or run.step == settings.steps:
                with autocast:
                    score = validate(run.model, held_out, criterion)
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
    """A hash of all settings but device and precision; a checkpoint is only resumed under the same one."""
    binding = {name: value for name, value in asdict(settings).items() if name not in ("device", "precision")}
    return hashlib.sha256(json.dumps(binding, sort_keys=True).encode()).hexdigest()[:16]


class TrainingState:
    """What a training run has to remember through a kill: one plain dict of tensors and numbers.

    Args:
        model: the network that is trained, outside of any wrapper.
        optimiser: of its weights.
        settings: the fingerprint of the training's settings.
        path: file that keeps the state, read if it is there; None: nothing is kept.

    Raises:
        ValueError: if the file belongs to other settings.
    """

    def __init__(self, model, optimiser, settings: str, path: str | Path | None):
        self.model, self.optimiser, self.settings = model, optimiser, settings
        self.path = Path(path) if path else None
        self.step, self.history, self.sums, self.counted = 0, [], {}, 0
        self.best = {"validation": math.inf, "row": -1, "weights": None}
        if self.path and self.path.exists():
            self.load()

    def count(self, parts: dict[str, Tensor]) -> None:
        """Add one step's loss and parts to the running means, without a read from the device."""
        self.step += 1
        self.counted += 1
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach().float()

    def validated(self, validation: float, eligible: bool = True) -> dict:
        """Close a history row; keep the weights if they may be selected and are the best so far."""
        row = {"step": self.step, **{name: float(total) / self.counted for name, total in self.sums.items()}}
        row |= {"validation": validation, "learning_rate": self.optimiser.param_groups[0]["lr"]}
        self.sums, self.counted = {}, 0
        if not (math.isfinite(row["loss"]) and math.isfinite(validation)):
            raise TrainingDiverged(
                f"the loss became {row['loss']} and the validation {validation} by step {self.step}; "
                "lower the learning rate, use precision='float32', or check the images for NaN"
            )
        self.history.append(row)
        if not eligible:
            self.best["row"] = len(self.history) - 1
        elif validation < self.best["validation"]:
            weights = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}
            self.best = {"validation": validation, "row": len(self.history) - 1, "weights": weights}
        return row

    def out_of_patience(self, patience: int | None) -> bool:
        """True where the last ``patience`` validations brought nothing better."""
        return patience is not None and len(self.history) - 1 - self.best["row"] >= patience

    def save(self) -> None:
        """Write the whole state."""
        if self.path is None:
            return
        own = {name: getattr(self, name) for name in ("settings", "step", "history", "best")}
        networks = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        state = own | networks | {"random": torch.get_rng_state()}
        if torch.cuda.is_available():
            state["random_cuda"] = torch.cuda.get_rng_state_all()
        write_checkpoint(self.path, state)

    def load(self) -> None:
        """Go on where a checkpoint stopped; a damaged one is passed over, with a warning."""
        if (state := read_checkpoint(self.path, STATE)) is None:
            return
        if state["settings"] != self.settings:
            advice = "give another path, or delete it to start afresh"
            raise ValueError(f"checkpoint {self.path} was made with other training settings; {advice}")
        self.step, self.history, self.best = state["step"], state["history"], state["best"]
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available() and "random_cuda" in state:
            torch.cuda.set_rng_state_all(state["random_cuda"])
