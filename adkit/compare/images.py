"""What a recommendation says of the images it is for."""

import statistics

import numpy as np

from adkit.data import Splits


def describe_images(splits: Splits) -> dict:
    """Number of images, sizes in pixels, and whether they are a ``texture`` or an ``object``.

    An object that is photographed in place leaves its shape in the mean of all images; a texture averages out.

    Args:
        splits: of :func:`adkit.load_dataset`.

    Returns:
        ``train``, ``validation`` (numbers of images), ``sizes`` (of the items, (h, w)), ``pixels`` (of an item, mean),
        ``kind``, and ``aligned``, the share of the variance within images that their mean keeps, in [0, 1].
    """
    shown = [splits.train[i]["image"] for i in range(min(len(splits.train), 20))]
    sizes = sorted({tuple(image.shape[-2:]) for image in shown})
    height, width = (min(size[axis] for size in sizes) for axis in (0, 1))
    cut = np.stack([image[:, :height, :width].numpy() for image in shown])
    within = float(cut.var(axis=(1, 2, 3)).mean())
    # the mean of n unrelated images keeps 1 / n of the variance
    kept = float(cut.mean(axis=0).var()) / within if within else 0.0
    aligned = max(0.0, (kept - 1 / len(cut)) / (1 - 1 / len(cut))) if len(cut) > 1 else 0.0
    return {
        "train": len(splits.train.groups()),
        "validation": len(splits.validation.groups()),
        "sizes": sizes,
        "pixels": statistics.fmean(image[0].numel() for image in shown),
        "kind": "object" if aligned > 0.5 else "texture",
        "aligned": aligned,
    }
