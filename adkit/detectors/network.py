"""What detectors around one trained network share: training settings, weights, and what a checkpoint is chosen by."""

import copy
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor, nn

from adkit.defects import SyntheticDefects
from adkit.detectors.base import Detector
from adkit.metrics import average_precision
from adkit.training import Objective, Training


class NetworkDetector(Detector):
    """Base of the detectors that train a network with :func:`adkit.training.fit`: a subclass writes ``_build`` too.

    Args:
        settings: as for :class:`adkit.detectors.base.Detector`; those that :class:`adkit.training.Training` knows are
            handed to it.
    """

    def __init__(self, settings: dict):
        super().__init__(settings)
        self.training = Training(**{f.name: self.settings[f.name] for f in fields(Training) if f.name in self.settings})
        self.model: nn.Module | None = None

    @abstractmethod
    def _build(self) -> nn.Module:
        """The network of the settings, untrained."""

    def _rehearse_build(self) -> None:
        """Refuse settings that no network can be built from, now and not after loading the data."""
        with torch.device("meta"):  # shapes only: no memory, no random numbers
            self._build()

    def _tensors(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        self.model = self._build().to(self.device)
        self.model.load_state_dict(tensors)
        self.model.eval()


def misses(defects: SyntheticDefects, maps: Callable[[nn.Module, Tensor], Tensor]) -> Objective:
    """The criterion of whatever trains with synthetic defects: 1 - pixel average precision on held-out normal crops.

    Every crop gets a defect, whatever share of them the training leaves clean, and the same one at every validation.

    Args:
        defects: the mixture of the training.
        maps: ``maps(model, images (B, C, H, W)) -> (B, H, W)``.
    """
    all_defective = copy.copy(defects)
    all_defective.clean = 0.0

    def criterion(model, batch):
        seen, masks, _ = all_defective(batch.images, batch.foreground, batch.generator())
        found = average_precision(masks.cpu().numpy(), maps(model, seen).float().cpu().numpy())
        return {"loss": torch.tensor(1 - found, device=seen.device)}

    return criterion
