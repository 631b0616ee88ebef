"""Where truth and scores enter: arrays, tensors or lists become checked NumPy arrays, and anything else is refused."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

# A torch tensor, on any device, counts as array-like here; torch itself is not imported: an inspection box has none.
Images = ArrayLike | Sequence[ArrayLike]


def to_numpy(values: ArrayLike) -> np.ndarray:
    """A NumPy array of anything array-like; a tensor comes from its device, half precision becomes float32.

    Args:
        values: array, tensor on any device, list or number, of any shape and type.
    """
    if hasattr(values, "detach"):
        values = values.detach()
        half = values.is_floating_point() and values.element_size() == 2
        values = (values.float() if half else values).cpu().numpy()
    values = np.asarray(values)
    return values.astype(np.float32) if values.dtype == np.float16 else values


def as_scores(values: ArrayLike) -> np.ndarray:
    """Scores as float32 or float64: floats keep their precision, integers become float64.

    Args:
        values: array-like of any shape.
    """
    values = to_numpy(values)
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def as_truth(values: ArrayLike, name: str) -> np.ndarray:
    """Truth as bool.

    Args:
        values: array-like of any shape, bool or 0 and 1.
        name: what the message calls it.

    Raises:
        ValueError: if anything but 0 and 1 is in it.
    """
    values = to_numpy(values)
    if values.dtype != bool and not np.isin(values, (0, 1)).all():
        raise ValueError(
            f"{name} must hold only 0 and 1 (or False and True), got values from {values.min()} to {values.max()}; "
            f"binarise first, for example with {name} > 0"
        )
    return values.astype(bool, copy=False)


def as_images(masks: Images, maps: Images) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Masks and maps as two lists of (H, W) arrays, equal in number and image by image in size.

    Args:
        masks: (N, H, W) bool or 0 and 1, or a list of (H, W) of unequal sizes.
        maps: scores of the same shapes.

    Returns:
        N masks, bool, and N maps, float32 or float64.

    Raises:
        ValueError: if there is no image, or numbers, dimensions or sizes do not agree, or masks are not binary.
    """
    masks = [as_truth(mask, "masks") for mask in split_images(masks, "masks")]
    maps = [as_scores(scores) for scores in split_images(maps, "maps")]
    if len(masks) != len(maps):
        raise ValueError(f"masks and maps must be equal in number, got {len(masks)} masks and {len(maps)} maps")
    for index, (mask, scores) in enumerate(zip(masks, maps, strict=True)):
        if mask.shape != scores.shape:
            raise ValueError(
                f"each map must have the size of its mask, got mask {mask.shape} and map {scores.shape} at index "
                f"{index}; bring the map to the mask's size, never the mask to the map's"
            )
    return masks, maps


def as_flat(
    truth: Images, values: Images, names: tuple[str, str] = ("labels", "scores")
) -> tuple[np.ndarray, np.ndarray]:
    """Truth (bool) and what is compared with it, as two flat arrays of one length.

    Args:
        truth: bool or 0 and 1, of any shape, or a list of arrays.
        values: scores or predictions of the same shape.
        names: what the messages call the two.

    Raises:
        ValueError: if they are empty or unequal in size, or the truth is not binary.
    """
    truth, values = as_truth(flatten(truth), names[0]), flatten(values)
    if truth.shape != values.shape:
        raise ValueError(f"{names[0]} and {names[1]} must be equal in size, got {truth.size} and {values.size} values")
    if truth.size == 0:
        raise ValueError(f"{names[0]} and {names[1]} are empty: at least one value is needed")
    return truth, values


def check_finite(*arrays: np.ndarray) -> None:
    """Refuse NaN and infinite scores.

    Args:
        *arrays: float, of any shape.

    Raises:
        ValueError: if a score is NaN or infinite.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("scores must be finite, got NaN or infinity; find out where they arise before you measure")


def check_limit(fpr_limit: float) -> None:
    """Refuse an FPR limit outside (0, 1].

    Args:
        fpr_limit: the false positive rate up to which PRO is integrated.

    Raises:
        ValueError: if it is.
    """
    if not 0 < fpr_limit <= 1:
        raise ValueError(f"fpr_limit must lie in (0, 1], got {fpr_limit}; 0.3 is the usual choice")


def split_images(images: Images, name: str) -> list[np.ndarray]:
    """A list of (H, W) arrays, from one array or from a list.

    Args:
        images: (N, H, W), or a list of (H, W) of unequal sizes.
        name: what the message calls them.

    Raises:
        ValueError: if there is no image, or one is not two-dimensional.
    """
    images = list(images) if isinstance(images, Sequence) else to_numpy(images)
    if isinstance(images, np.ndarray) and images.ndim != 3:
        raise ValueError(f"{name} must be (N, H, W) or a list of (H, W), got an array of shape {images.shape}")
    images = [to_numpy(image) for image in images]
    if not images:
        raise ValueError(f"{name} hold no image: at least one is needed")
    for index, image in enumerate(images):
        if image.ndim != 2:
            raise ValueError(f"{name} must be (H, W) each, got shape {image.shape} at index {index}")
    return images


def flatten(values: Images) -> np.ndarray:
    """All values of an array, or of a list of arrays of unequal sizes, as one flat array.

    Args:
        values: array-like of any shape, or a list of them.
    """
    if isinstance(values, Sequence) and any(np.ndim(value) for value in values):
        return np.concatenate([to_numpy(value).ravel() for value in values])
    return to_numpy(values).ravel()
