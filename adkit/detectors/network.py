"""What detectors around one trained network share: training settings, weights, and what a checkpoint is chosen by."""

import copy
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import fields

import torch
from torch import Tensor, nn

from adkit.data import AnomalyDataset
from adkit.defects import SyntheticDefects
from adkit.detectors.base import Detector, Reconstruction, whole_image
from adkit.metrics import average_precision
from adkit.training import Objective, Training, fit


class NetworkDetector(Detector):
    """Base of the detectors whose network draws images again: a subclass writes ``_build`` and ``_reconstruct`` too.

    Args:
        settings: as for :class:`adkit.detectors.base.Detector`; those that :class:`adkit.training.Training` knows are
            handed to it.

    Attributes:
        on_validation: called with each row of the history while ``fit`` runs, as of :func:`adkit.training.fit`;
            ``reconstruct`` works in it, with the weights of that moment.
    """

    def __init__(self, settings: dict):
        super().__init__(settings)
        self.training = Training(**{f.name: self.settings[f.name] for f in fields(Training) if f.name in self.settings})
        self.model: nn.Module | None = None
        self.on_validation: Callable[[dict], None] | None = None

    @abstractmethod
    def _build(self) -> nn.Module:
        """The network of the settings, untrained."""

    @abstractmethod
    def _reconstruct(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) on the device, as the network draws them again."""

    @torch.inference_mode()
    def reconstruct(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) in [0, 1] as the network draws them again, on the CPU.

        Raises:
            RuntimeError: before ``fit`` has built the network.
            ValueError: if the shape is another, or a value leaves [0, 1].
        """
        if self.model is None:
            self._require_fit()
        self._check(images)
        return self._reconstruct(images.float().to(self.device)).cpu()

    def reconstruct_images(self, dataset: AnomalyDataset) -> list[Reconstruction]:
        """The original images of a dataset as the network draws them again: tiles stitched, at the size of the files.

        Raises:
            RuntimeError: before ``fit`` has built the network.
            ValueError: if tiles of an image are missing that show more than background.
        """
        seen = [dataset[i]["image"] for i in range(len(dataset))]
        drawn = [self.reconstruct(image[None])[0] for image in seen]
        differences = [(image - other).abs().mean(dim=0) for image, other in zip(seen, drawn, strict=True)]
        return [
            Reconstruction(whole_image(dataset, group, drawn), whole_image(dataset, group, differences))
            for group in dataset.groups()
        ]

    def _train(
        self,
        train: AnomalyDataset,
        validation: AnomalyDataset,
        objective: Objective,
        criterion: Objective | None = None,
        label: str = "",
        trainee: nn.Module | None = None,
        selectable: Callable[[int], bool] | None = None,
    ) -> None:
        """Train the network, or a trainee that holds it, and keep the history."""
        self.history = fit(
            trainee or self.model, train, validation, objective, self.training, criterion,
            checkpoint=self.checkpoint, label=label, quiet=self.quiet, selectable=selectable,
            on_validation=self.on_validation,
        )  # fmt: skip

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


def synthetic_ap_criterion(defects: SyntheticDefects, maps: Callable[[nn.Module, Tensor], Tensor]) -> Objective:
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
