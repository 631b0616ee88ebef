"""What to say to who passes something else than a dataset, a detector or an image: what it is, and what to pass."""

import os
from typing import Any

import numpy as np
from torch import Tensor
from torch.utils.data import DataLoader, Subset

from adkit.data import AnomalyDataset, Splits


def check_dataset(value: Any, name: str) -> None:
    """Refuse what is no dataset of this library, or an empty one.

    Args:
        value: what was passed.
        name: of the argument; the error says it.

    Raises:
        TypeError: if it is something else; the error says how to get a dataset from it.
        ValueError: if it holds no image.
    """
    if not isinstance(value, AnomalyDataset):
        raise TypeError(f"{name} must be a dataset such as splits.{_part(name)}, got {_a(value)}{_cure(value, name)}")
    if not len(value):
        raise ValueError(f"{name} holds no image; at least one is needed")


def check_splits(value: Any, taker: str) -> None:
    """Refuse what are no splits of this library.

    Args:
        value: what was passed.
        taker: name of the function that takes them; the error says it.

    Raises:
        TypeError: if it is something else.
    """
    if not isinstance(value, Splits):
        raise TypeError(f"{taker} takes the Splits of load_dataset, got {_a(value)}")


def _part(name: str) -> str:
    return name if name in ("train", "validation", "test") else "test"


def _cure(value: Any, name: str) -> str:
    part = _part(name)
    if isinstance(value, Splits):
        return f"; pass its part splits.{part}"
    if isinstance(value, DataLoader):
        return "; pass the loader's dataset, loader.dataset: batches are made inside"
    if isinstance(value, Subset):
        return "; use dataset.subset(indices) in the place of torch's Subset"
    if isinstance(value, str | os.PathLike):
        return f"; read it first: load_dataset('folder', root={os.fspath(value)!r}).{part}"
    if isinstance(value, Tensor | np.ndarray | list | tuple):
        return (
            "; images in memory are judged one by one by detector.predict(image) and in batches by "
            "detector.anomaly_map(images); to learn from them, save them as files for load_dataset('folder', root=…)"
        )
    return "; see adkit.load_dataset"


def check_detector(value: Any, base: type) -> None:
    """Refuse what is no detector.

    Args:
        value: what was passed as a detector.
        base: :class:`adkit.detectors.base.Detector`.

    Raises:
        TypeError: saying what to pass.
    """
    if isinstance(value, base) or (not isinstance(value, type) and hasattr(value, "predict_dataset")):
        return  # or whatever judges a dataset as a detector does
    cure = "; the detector comes first, then the dataset" if isinstance(value, AnomalyDataset | Splits) else ""
    if isinstance(value, type):
        cure = f"; fit one first: {value.__name__}().fit(splits.train, splits.validation)"
    if isinstance(value, str | os.PathLike):
        cure = f"; load it first: load_detector({os.fspath(value)!r})"
    raise TypeError(f"detector must be a fitted detector, got {_a(value)}{cure}")


def check_images(value: Any, channels: int) -> None:
    """Refuse what is no batch of images.

    Args:
        value: what was passed as images.
        channels: that they must have.

    Raises:
        TypeError: if it is no tensor.
        ValueError: if it has another shape, or no image.
    """
    if not isinstance(value, Tensor):
        cure = "; use torch.from_numpy(array)" if isinstance(value, np.ndarray) else ""
        raise TypeError(f"images must be a tensor (B, {channels}, H, W), got {_a(value)}{cure}")
    if value.ndim != 4 or value.shape[1] != channels:
        raise ValueError(
            f"images must have the shape (B, {channels}, H, W), got {tuple(value.shape)}{_moved(value, channels)}"
        )
    if not value.numel():
        raise ValueError(f"images hold no pixel: their shape is {tuple(value.shape)}")


def _moved(value: Tensor, channels: int) -> str:
    """What to do with images whose channels are last, or that are no batch."""
    if value.ndim == 4 and value.shape[-1] in (1, 3):
        return "; move the channels to the front: images.permute(0, 3, 1, 2)"
    if value.ndim == 3 and value.shape[0] == channels:
        return "; make it a batch of one: image[None]"
    if value.ndim == 4 and value.shape[1] in (1, 3):
        return f"; the detector was trained on images of {channels} channel(s)"
    return ""


def _a(value: Any) -> str:
    """A value's type, as an error says it."""
    kind = type(value).__name__
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {kind}"
