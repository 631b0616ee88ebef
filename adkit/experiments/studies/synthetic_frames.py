"""Validation normals with one type of synthetic defect at a time, as a dataset gives its frames: to choose by type."""

from collections.abc import Sequence

from adkit.data import AnomalyDataset
from adkit.data.samples import NORMAL
from adkit.defects import SyntheticDefects
from adkit.runtime import generator


def synthetic_frames(
    normals: AnomalyDataset, types: Sequence[str] | None = None, each: int = 4, seed: int = 0, clean: bool = True
) -> list[dict]:
    """Frames with synthetic defects, and without.

    Args:
        normals: normal images that were not trained on.
        types: names of :data:`adkit.defects.registry.DEFECT_TYPES`; None: all of them.
        each: frames of each type, at least 1; the images are taken in turn.
        seed: whole number; another one places other defects.
        clean: add the images themselves, as normal frames.

    Returns:
        Dicts with ``image`` (C, H, W), ``mask`` (H, W), ``foreground`` (H, W) and ``kind``: the name of the type, or
        ``good``. A defect that changes next to nothing is dropped, and leaves its frame out.

    Raises:
        ValueError: if there is no image, ``each`` is below 1, or a type is unknown.

    Example:
        >>> from adkit import load_dataset
        >>> validation = load_dataset("textile", image_size=(64, 64)).validation
        >>> frames = synthetic_frames(validation.subset([0, 1]), ["stain", "line"], each=2)
        >>> [frame["kind"] for frame in frames]
        ['stain', 'stain', 'line', 'line', 'good', 'good']
    """
    if not len(normals) or each < 1:
        raise ValueError(f"needs images and at least 1 frame of each type, got {len(normals)} images and each={each}")
    frames, place = [], 0
    for name in SyntheticDefects().defect_types if types is None else types:
        put = SyntheticDefects([name])
        for number in range(each):
            item = normals[place % len(normals)]
            place += 1
            parts = item["image"][None], item["foreground"][None], generator(seed, place, number)
            image, mask, _ = put(*parts)
            if mask.any():
                frames.append(item | {"image": image[0], "mask": mask[0], "kind": name})
    return frames + ([normals[i] | {"kind": NORMAL} for i in range(len(normals))] if clean else [])
