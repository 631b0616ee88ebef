"""What a training run has to remember through a kill."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from adkit.runtime.checkpoint import read_checkpoint, write_checkpoint
from adkit.runtime.processes import by_first

STATE = ("settings", "step", "history", "best", "model", "optimiser", "random")  # of a checkpoint


class TrainingDiverged(RuntimeError):
    """The loss is no longer a finite number."""


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
        if self.path:
            self.load()

    def count(self, parts: dict[str, Tensor]) -> None:
        """Add one step's loss and parts to the running means, without a read from the device."""
        self.step += 1
        self.counted += 1
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach().float()

    def average(self, over_processes: Callable[[Tensor], Tensor], device: torch.device) -> None:
        """Replace the sums by their means over all processes that train together.

        Args:
            over_processes: gives the mean of a tensor over the processes.
            device: where the processes exchange tensors.
        """
        if self.sums:
            mean = over_processes(torch.stack([value.to(device) for value in self.sums.values()]))
            self.sums = dict(zip(self.sums, mean, strict=True))

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
        """Go on where a checkpoint stopped, if there is one; a damaged one is passed over, with a warning."""
        # the disk of another machine may not show it
        state = by_first(lambda: read_checkpoint(self.path, STATE) if self.path.exists() else None)
        if state is None:
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
