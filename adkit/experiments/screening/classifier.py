"""Stage 2: a classifier that has seen labelled images and names the type of an anomaly, trained, saved and loaded."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

import adkit
from adkit.data import AnomalyDataset
from adkit.data.read import to_float
from adkit.detectors.preprocessing import Preprocessing
from adkit.models.torchvision_nets import Classifier, check_network
from adkit.runtime import generator, resolve_device, seed_everything
from adkit.runtime.progress import Progress
from adkit.runtime.serialization import read_folder, write_folder


class TypeClassifier:
    """A ResNet that names the kind of an image, ``good`` among them where it was trained with normal images.

    Args:
        depth: 18, 34 or 50 layers.
        side: every image is resized to this side first; the cost grows with its square. A line of a plot of 224 × 224
            is two pixels thick, and at 64 half a pixel of grey: still there, and twelve times cheaper.
        weights: name of weights of torchvision such as ``IMAGENET1K_V1`` (a download), or None for random ones.
        epochs: passes over the training images.
        batch_size: images a step, at most.
        learning_rate: peak of the one-cycle schedule of AdamW.
        flips: mirror half of the images left–right, and half top–bottom. Off where a mirrored anomaly is another one.
        seed: of the weights, of the order of the images, and of the flips.
        device: see :func:`adkit.runtime.resolve_device`.
        quiet: show no progress.

    Attributes:
        classes: the kinds that it can name; set by ``fit``.
        history: of training: a dict an epoch with ``step``, ``loss`` and ``accuracy``, of the training images.

    Raises:
        ValueError: if a setting is unknown or out of its range.

    Example:
        >>> from adkit.data.plots.samples import labelled_plots
        >>> few = AnomalyDataset(labelled_plots(2, anomaly_types=("spike", "drift")))
        >>> classifier = TypeClassifier(side=32, epochs=1, quiet=True).fit(few)
        >>> classifier.classes, classifier.probabilities(few).shape
        (['drift', 'spike'], (4, 2))
    """

    def __init__(
        self,
        *,
        depth: int = 18,
        side: int = 64,
        weights: str | None = None,
        epochs: int = 10,
        batch_size: int = 16,
        learning_rate: float = 1e-3,
        flips: bool = True,
        seed: int = 0,
        device: str = "auto",
        quiet: bool = False,
    ):
        self.settings = {name: value for name, value in locals().items() if name != "self"}
        check_network(depth, weights)
        for name in ("side", "epochs", "batch_size", "learning_rate"):
            if not self.settings[name] > 0:
                raise ValueError(f"{name} must be positive, got {self.settings[name]!r}")
        self.device, self.quiet = resolve_device(device), quiet
        self.preprocessing = Preprocessing(channels=3, resize=(side, side))
        self.classes: list[str] = []
        self.history: list[dict] = []
        self.model: Classifier | None = None

    def fit(self, train: AnomalyDataset) -> "TypeClassifier":
        """Learn the kinds of labelled images.

        Raises:
            ValueError: if they are all of one kind.
        """
        seen, settings = seen_by(self.preprocessing, train), self.settings
        self.classes = sorted(set(seen.kinds))
        if len(self.classes) < 2:
            raise ValueError(f"a classifier needs images of at least two kinds, got {', '.join(self.classes)} only")
        images, truth = _pixels(seen), torch.tensor([self.classes.index(kind) for kind in seen.kinds])
        seed_everything(settings["seed"])
        self.model = Classifier(len(self.classes), settings["depth"], settings["weights"]).to(self.device)
        optimiser = torch.optim.AdamW(self.model.parameters(), settings["learning_rate"], weight_decay=1e-2)
        batches = -(-len(images) // settings["batch_size"])
        steps = settings["epochs"] * batches
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings["learning_rate"], total_steps=steps)
        self.history = []
        with Progress(steps, f"resnet{settings['depth']}", quiet=self.quiet) as progress:
            for epoch in range(settings["epochs"]):
                draw = generator(settings["seed"], epoch)
                rows = torch.randperm(len(images), generator=draw).tensor_split(batches)  # of nearly one size
                self._epoch(images, truth, rows, draw, optimiser, schedule)
                progress.update(self.history[-1]["step"], **{k: v for k, v in self.history[-1].items() if k != "step"})
        self.model.eval()
        return self

    def _epoch(
        self, images: Tensor, truth: Tensor, batches: Sequence[Tensor], draw: torch.Generator, optimiser, schedule
    ) -> None:
        """One pass over the training images, which adds its row to the history."""
        self.model.train()
        loss = right = torch.zeros((), device=self.device)
        for rows in batches:
            labels, seen = truth[rows].to(self.device), images[rows]
            if self.settings["flips"]:
                seen = _mirrored(seen, draw)
            logits = self.model(to_float(seen).to(self.device))
            each = cross_entropy(logits, labels)
            optimiser.zero_grad()
            each.backward()
            optimiser.step()
            schedule.step()
            loss = loss + len(rows) * each.detach()
            right = right + (logits.argmax(dim=1) == labels).sum()
        step = (self.history[-1]["step"] if self.history else 0) + len(batches)
        self.history.append({"step": step, "loss": float(loss) / len(images), "accuracy": float(right) / len(images)})

    @torch.inference_mode()
    def probabilities(self, dataset: AnomalyDataset) -> np.ndarray:
        """The probability of each class (N, classes) for the images of a dataset.

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

        Raises:
            ValueError: if a class in ``among`` is unknown.
        """
        among = among or self.classes
        if unknown := set(among) - set(self.classes):
            raise ValueError(f"the classifier does not know {', '.join(sorted(unknown))}; it knows {self.classes}")
        columns = [self.classes.index(one) for one in among]
        return [among[best] for best in self.probabilities(dataset)[:, columns].argmax(axis=1)]

    # -- on disk -------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> Path:
        """Write ``weights.safetensors`` and ``classifier.json`` to a folder, whole or not at all.

        Raises:
            RuntimeError: before ``fit``.
            FileExistsError: if the path is taken by something else.
        """
        if self.model is None:
            raise RuntimeError("this TypeClassifier has not been fitted; call fit(train) first")
        description = {
            "settings": self.settings,
            "classes": self.classes,
            "preprocessing": asdict(self.preprocessing),
            "history": self.history,
            "provenance": {"adkit": adkit.__version__, "torch": torch.__version__},
        }
        return write_folder(path, "classifier", description, self.model.state_dict())


def seen_by(preprocessing: Preprocessing, dataset: AnomalyDataset) -> AnomalyDataset:
    """The images of a dataset as they are after another preprocessing: other sizes, other channels, the same files.

    Example:
        >>> from adkit import load_dataset
        >>> plots = load_dataset("plots").test.subset([0, 120])
        >>> seen_by(Preprocessing(channels=1, resize=(32, 32)), plots)[1]["image"].shape
        torch.Size([1, 32, 32])
    """
    p = preprocessing
    return AnomalyDataset(dataset.samples, p.resize, p.channels, p.tile, p.overlap, p.foreground)


def _mirrored(images: Tensor, draw: torch.Generator) -> Tensor:
    """Images (B, C, H, W), half of them mirrored left–right, and half top–bottom."""
    for axis in (-1, -2):
        chosen = torch.rand(len(images), 1, 1, 1, generator=draw) < 0.5
        images = torch.where(chosen, images.flip(axis), images)
    return images


def _pixels(dataset: AnomalyDataset) -> Tensor:
    """All images (N, C, H, W) as they are stored."""
    return torch.stack([dataset.pixels(i) for i in range(len(dataset))])


def load_classifier(path: str | Path, device: str = "auto") -> TypeClassifier:
    """Load what :meth:`TypeClassifier.save` wrote.

    Raises:
        FileNotFoundError: if there is no saved classifier.
        ValueError: if it is damaged, does not fit this version, or the device is not there.
    """
    resolve_device(device)
    description, tensors = read_folder(path, "classifier")
    try:
        settings = description["settings"] | {"device": device}
        loaded = TypeClassifier(**settings)
        loaded.classes, loaded.history = description["classes"], description["history"]
        loaded.model = Classifier(len(loaded.classes), settings["depth"]).to(loaded.device)  # its weights follow
        loaded.model.load_state_dict(tensors)
    except (ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ValueError(
            f"the classifier at {path} does not fit adkit {adkit.__version__} "
            f"({type(error).__name__}: {error}); save it again"
        ) from error
    loaded.model.eval()
    return loaded
