"""Stage 2: a classifier that has seen labelled images and names the type of an anomaly, trained, saved and loaded."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from adkit.data import AnomalyDataset
from adkit.data.read import to_float
from adkit.detectors.preprocessing import Preprocessing
from adkit.models.torchvision_nets import Classifier, check_resnet
from adkit.runtime import VERSION, generator, resolve_device, seed_everything
from adkit.runtime.progress import Progress
from adkit.runtime.serialization import read_saved, write_folder


@dataclass(frozen=True)
class ClassifierSettings:
    """Settings of a :class:`TypeClassifier`.

    Raises:
        ValueError: if one is unknown to torchvision, or not positive.
    """

    depth: int = 18  # layers of the ResNet: 18, 34 or 50
    # every image is resized to this side first, in pixels, and the cost grows with its square; a line of a plot of
    # 224 × 224 is two pixels thick, and at 64 half a pixel of grey: still there, and twelve times cheaper
    side: int = 64
    weights: str | None = None  # name of weights of torchvision such as IMAGENET1K_V1 (a download); None: random ones
    epochs: int = 10  # passes over the training images
    batch_size: int = 16  # images a step, at most
    learning_rate: float = 1e-3  # peak of the one-cycle schedule of AdamW
    flips: bool = True  # mirror half of the images each way; off where a mirrored anomaly is another one
    seed: int = 0  # another seed: other first weights, another order of the images, other flips
    device: str = "auto"  # auto, cpu, cuda, cuda:N or mps
    quiet: bool = False  # show no progress

    def __post_init__(self):
        check_resnet(self.depth, self.weights)
        for name in ("side", "epochs", "batch_size", "learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)!r}")


class TypeClassifier:
    """A ResNet that names the kind of an image, ``good`` among them where it was trained with normal images.

    Args:
        settings: fields of :class:`ClassifierSettings` by name.

    Attributes:
        settings: all of them.
        classes: the kinds that it can name; set by ``fit``.
        history: of training: a dict an epoch with ``step``, ``loss`` and ``accuracy``, of the training images.

    Raises:
        TypeError: if a setting is unknown.
        ValueError: if one is out of its range.

    Example:
        >>> from adkit.data.plots.samples import labelled_plots
        >>> few = AnomalyDataset(labelled_plots(2, anomaly_types=("spike", "drift")))
        >>> classifier = TypeClassifier(side=32, epochs=1, quiet=True).fit(few)
        >>> classifier.classes, classifier.probabilities(few).shape
        (['drift', 'spike'], (4, 2))
    """

    def __init__(self, **settings):
        self.settings = ClassifierSettings(**settings)
        self.device, self.quiet = resolve_device(self.settings.device), self.settings.quiet
        self.preprocessing = Preprocessing(channels=3, resize=(self.settings.side, self.settings.side))
        self.classes: list[str] = []
        self.history: list[dict] = []
        self.model: Classifier | None = None

    def fit(self, train: AnomalyDataset) -> "TypeClassifier":
        """Learn the kinds of labelled images.

        Args:
            train: images of at least two kinds; ``good`` may be one.

        Raises:
            ValueError: if they are all of one kind.
        """
        self.preprocessing = replace(self.preprocessing, bits=train.bits)
        seen, settings = seen_by(self.preprocessing, train), self.settings
        self.classes = sorted(set(seen.kinds))
        if len(self.classes) < 2:
            raise ValueError(f"a classifier needs images of at least two kinds, got {', '.join(self.classes)} only")
        images, truth = _pixels(seen), torch.tensor([self.classes.index(kind) for kind in seen.kinds])
        seed_everything(settings.seed)
        self.model = Classifier(len(self.classes), settings.depth, settings.weights).to(self.device)
        optimiser = torch.optim.AdamW(self.model.parameters(), settings.learning_rate, weight_decay=1e-2)
        batches = -(-len(images) // settings.batch_size)
        steps = settings.epochs * batches
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, total_steps=steps)
        self.history = []
        with Progress(steps, f"resnet{settings.depth}", quiet=self.quiet) as progress:
            for epoch in range(settings.epochs):
                random = generator(settings.seed, epoch)
                rows = torch.randperm(len(images), generator=random).tensor_split(batches)  # of nearly one size
                self._epoch(images, truth, rows, random, optimiser, schedule)
                progress.update(self.history[-1]["step"], **{k: v for k, v in self.history[-1].items() if k != "step"})
        self.model.eval()
        return self

    def _epoch(
        self, images: Tensor, truth: Tensor, batches: Sequence[Tensor], random: torch.Generator, optimiser, schedule
    ) -> None:
        """One pass over the training images, which adds its row to the history."""
        self.model.train()
        loss = right = torch.zeros((), device=self.device)
        for rows in batches:
            labels, seen = truth[rows].to(self.device), images[rows]
            if self.settings.flips:
                seen = _mirrored(seen, random)
            logits = self.model(to_float(seen).to(self.device))
            batch_loss = cross_entropy(logits, labels)
            optimiser.zero_grad()
            batch_loss.backward()
            optimiser.step()
            schedule.step()
            loss = loss + len(rows) * batch_loss.detach()
            right = right + (logits.argmax(dim=1) == labels).sum()
        step = (self.history[-1]["step"] if self.history else 0) + len(batches)
        self.history.append({"step": step, "loss": float(loss) / len(images), "accuracy": float(right) / len(images)})

    @torch.inference_mode()
    def probabilities(self, dataset: AnomalyDataset) -> np.ndarray:
        """The probability of each class (N, classes) for the images of a dataset.

        Args:
            dataset: N images of any size and number of channels.

        Raises:
            RuntimeError: before ``fit``.
        """
        if self.model is None:
            raise RuntimeError("this TypeClassifier has not been fitted; call fit(train) first")
        batches = _pixels(seen_by(self.preprocessing, dataset)).split(32)
        logits = [self.model(to_float(batch).to(self.device)) for batch in batches]
        return torch.cat(logits).softmax(dim=1).cpu().numpy()

    def name(self, dataset: AnomalyDataset, among: list[str] | None = None) -> list[str]:
        """The most probable class of each image, of all classes or of those in ``among``.

        Args:
            dataset: images of any size and number of channels.
            among: some of ``classes``; None: all of them.

        Raises:
            ValueError: if a class in ``among`` is unknown.
        """
        among = among or self.classes
        if unknown := set(among) - set(self.classes):
            raise ValueError(f"the classifier does not know {', '.join(sorted(unknown))}; it knows {self.classes}")
        columns = [self.classes.index(kind) for kind in among]
        return [among[best] for best in self.probabilities(dataset)[:, columns].argmax(axis=1)]

    # -- on disk -------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write ``weights.safetensors`` and ``classifier.json`` to a folder, whole or not at all.

        Args:
            path: the folder; a classifier that is there is replaced.

        Raises:
            RuntimeError: before ``fit``.
            FileExistsError: if the path is taken by something else.
        """
        if self.model is None:
            raise RuntimeError("this TypeClassifier has not been fitted; call fit(train) first")
        description = {
            "settings": asdict(self.settings),
            "classes": self.classes,
            "preprocessing": asdict(self.preprocessing),
            "history": self.history,
            "provenance": {"adkit": VERSION, "torch": torch.__version__},
        }
        return write_folder(path, "classifier", description, self.model.state_dict())


def seen_by(preprocessing: Preprocessing, dataset: AnomalyDataset) -> AnomalyDataset:
    """The images of a dataset as they are after another preprocessing: other sizes, other channels, the same files.

    Args:
        preprocessing: of a detector, or of a classifier.
        dataset: the images.

    Example:
        >>> from adkit import load_dataset
        >>> plots = load_dataset("plots").test.subset([0, 120])
        >>> seen_by(Preprocessing(channels=1, resize=(32, 32)), plots)[1]["image"].shape
        torch.Size([1, 32, 32])
    """
    p = preprocessing
    seen = AnomalyDataset(dataset.samples, p.resize, p.channels, p.tile, p.overlap, p.foreground, bits=p.bits)
    seen.blend = p.blend
    return seen


def _mirrored(images: Tensor, random: torch.Generator) -> Tensor:
    """Images (B, C, H, W), half of them mirrored left–right, and half top–bottom."""
    for axis in (-1, -2):
        chosen = torch.rand(len(images), 1, 1, 1, generator=random) < 0.5
        images = torch.where(chosen, images.flip(axis), images)
    return images


def _pixels(dataset: AnomalyDataset) -> Tensor:
    """All images (N, C, H, W) as they are stored."""
    return torch.stack([dataset.pixels(i) for i in range(len(dataset))])


def load_classifier(path: str | Path, device: str = "auto", verify: bool = True) -> TypeClassifier:
    """Load what :meth:`TypeClassifier.save` wrote.

    Args:
        path: the folder.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        verify: refuse a classifier whose files were changed since it was saved.

    Raises:
        FileNotFoundError: if there is no saved classifier.
        ValueError: if it is damaged, was changed, does not fit this version, or the device is not there.

    Warns:
        UserWarning: if it was changed and is not verified, or has no checksums, as older versions wrote none.
    """
    resolve_device(device)
    saved = read_saved(path, "classifier")
    description, tensors = saved.description, saved.tensors
    try:
        loaded = TypeClassifier(**description["settings"] | {"device": device})
        loaded.preprocessing = Preprocessing.from_dict(description["preprocessing"])
        loaded.classes, loaded.history = description["classes"], description["history"]
        loaded.model = Classifier(len(loaded.classes), loaded.settings.depth).to(loaded.device)  # its weights follow
        loaded.model.load_state_dict(tensors)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"the classifier at {path} does not fit adkit {VERSION} ({type(error).__name__}: {error}); save it again"
        ) from error
    if verify and saved.problem:
        raise ValueError(saved.problem)
    if saved.problem:
        warnings.warn(saved.problem, stacklevel=2)
    loaded.model.eval()
    return loaded
