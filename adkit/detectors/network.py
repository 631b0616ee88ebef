"""What detectors around one trained network share: training settings, weights, and what a checkpoint is chosen by."""

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from adkit.data import AnomalyDataset
from adkit.defects import SyntheticDefects
from adkit.detectors.base import Detector
from adkit.detectors.prediction import Reconstruction
from adkit.detectors.preprocessing import Preprocessing, whole_image
from adkit.detectors.settings import Settings
from adkit.metrics import average_precision
from adkit.runtime import resolve_precision
from adkit.training import Objective, Training, fit


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    """Settings of every detector that trains a network: those of :class:`adkit.training.Training`."""

    # optimiser steps in all
    steps: int = 400
    # training crops a step
    batch_size: int = 16
    # side of the square training crops, in pixels
    crop: int = 64
    # peak of the one-cycle schedule, or the constant rate, of AdamW
    learning_rate: float = 3e-3
    # of AdamW; 0 makes it Adam
    weight_decay: float = 1e-4
    # one-cycle, which always runs to its end, or constant
    schedule: str = "one-cycle"
    # with the constant schedule: stop after so many validations without a better one; None: never
    patience: int | None = None
    # mirror crops at random; off for images whose direction means something
    flips: bool = True
    # turn crops by up to 5° and scale them by 0.95 to 1.05 as well
    augment: bool = False
    # strength of changes in light, contrast, focus and grain that the crops undergo: what differs from one good image
    # to the next, and is no defect; 0: none, 1: see adkit.data.drift
    drift: float = 0.0
    # steps from one validation, history row and checkpoint to the next
    validate_every: int = 100
    # float32, bfloat16, or auto: bfloat16 on a GPU that has it
    precision: str = "auto"
    # train through torch.compile: the first step takes up to minutes, the later ones less, most of all on a GPU
    compile: bool = False

    def __post_init__(self):
        super().__post_init__()
        # only its name: a GPU that is asked would start, where an experiment is planned for other machines
        resolve_precision(self.precision, torch.device("cpu"))
        self.training()

    def training(self) -> Training:
        """These settings as :func:`adkit.training.fit` takes them; raises a ValueError if one is out of its range."""
        return Training(**{f.name: getattr(self, f.name) for f in fields(Training) if hasattr(self, f.name)})


def check_network(build: Callable[[], nn.Module]) -> None:
    """Refuse sizes that no network can be built from: it is built without memory and without random numbers.

    Args:
        build: makes the network.

    Raises:
        ValueError: whatever ``build`` says of its sizes.
    """
    try:
        with torch.device("meta"):
            build()
    except (RuntimeError, OverflowError, MemoryError) as error:
        raise ValueError(f"no network can be built from these sizes: {error}") from error


def check_weights(build: Callable[[], nn.Module], tensors: Mapping[str, Tensor]) -> None:
    """Refuse weights that do not fit a network, before memory is taken for it.

    Args:
        build: makes the network.
        tensors: its weights, by name.

    Raises:
        RuntimeError: if a weight is missing, unknown or of another shape.
    """
    with torch.device("meta"):
        expected = {name: tuple(value.shape) for name, value in build().state_dict().items()}
    found = {name: tuple(value.shape) for name, value in tensors.items()}
    differing = [name for name in expected | found if expected.get(name) != found.get(name)]
    if differing:
        name = differing[0]
        raise RuntimeError(
            f"{len(differing)} tensor(s) do not fit the settings: {name} should be {expected.get(name, 'absent')}, got "
            f"{found.get(name, 'absent')}"
        )


class NetworkDetector(Detector):
    """Base of the detectors whose network reconstructs images.

    A subclass writes ``build_network`` and ``_reconstruct`` besides what :class:`adkit.detectors.base.Detector` asks
    for; its ``settings_class`` is made from :class:`TrainingSettings`.

    Args:
        settings: fields of the class's ``settings_class``, by name.

    Attributes:
        model: the network; None before ``fit`` has built it.
        on_validation: called with each row of the history while ``fit`` runs, as of :func:`adkit.training.fit`;
            ``reconstruct`` works in it, with the weights of that moment.
    """

    settings_class = TrainingSettings

    def __init__(self, **settings):
        super().__init__(**settings)
        self.model: nn.Module | None = None
        self.on_validation: Callable[[dict], None] | None = None

    @abstractmethod
    def build_network(self) -> nn.Module:
        """The network of the settings, untrained."""

    @abstractmethod
    def _reconstruct(self, images: Tensor) -> Tensor:
        """Images (B, C, H, W) on the device, as the network reconstructs them."""

    @property
    def training(self) -> Training:
        """The training settings, as :func:`adkit.training.fit` takes them."""
        return self.settings.training()

    def learn(self, train: AnomalyDataset, validation: AnomalyDataset) -> nn.Module:
        """Train the network as ``fit`` does, and set no threshold: for who wants the network alone.

        Args:
            train: normal images.
            validation: held-out normal images, by which the best weights are chosen.

        Returns:
            The trained network, (B, C, H, W) in [0, 1] to whatever it says of them.
        """
        self.preprocessing = Preprocessing.of(train)
        self._fit(train, validation)
        return self.model

    @torch.inference_mode()
    def reconstruct(self, images: Tensor) -> Tensor:
        """Images as the network reconstructs them, on the CPU.

        Args:
            images: (B, C, H, W) in [0, 1].

        Raises:
            RuntimeError: before ``fit`` has built the network.
            ValueError: if the shape is another, or a value leaves [0, 1].
        """
        if self.model is None:
            self._require_fit()
        self._check(images)
        return self._reconstruct(images.float().to(self.device)).cpu()

    def reconstruct_images(self, dataset: AnomalyDataset) -> list[Reconstruction]:
        """The original images of a dataset as the network reconstructs them: stitched, at the size of the files.

        Args:
            dataset: whole images, or tiles of images; see :class:`adkit.data.AnomalyDataset`.

        Raises:
            RuntimeError: before ``fit`` has built the network.
            ValueError: if tiles of an image are missing that show more than background.
        """
        seen = [dataset[i]["image"] for i in range(len(dataset))]
        reconstructed = [self.reconstruct(image[None])[0] for image in seen]
        differences = [(image - other).abs().mean(dim=0) for image, other in zip(seen, reconstructed, strict=True)]
        return [
            Reconstruction(whole_image(dataset, group, reconstructed), whole_image(dataset, group, differences))
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

    def _tensors(self) -> dict[str, Tensor]:
        return self.model.state_dict()

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        check_weights(self.build_network, tensors)
        self.model = self.build_network().to(self.device)
        self.model.load_state_dict(tensors)
        self.model.eval()


def synthetic_ap_criterion(defects: SyntheticDefects, maps: Callable[[nn.Module, Tensor], Tensor]) -> Objective:
    """The criterion of whatever trains with synthetic defects: 1 - pixel average precision on held-out normal crops.

    Every crop gets a defect, whatever share of them the training leaves clean, and the same one at every validation.

    Args:
        defects: the mixture of the training.
        maps: ``maps(model, images (B, C, H, W)) -> (B, H, W)``, higher where the model sees a defect.

    Returns:
        A criterion for :func:`adkit.training.fit`; lower is better, in [0, 1].
    """
    all_defective = copy.copy(defects)
    all_defective.clean = 0.0

    def criterion(model, batch):
        seen, masks, _ = all_defective(batch.images, batch.foreground, batch.generator())
        precision = average_precision(masks.cpu().numpy(), maps(model, seen).float().cpu().numpy())
        return {"loss": torch.tensor(1 - precision, device=seen.device)}

    return criterion
