"""How often: a mixture of defect types over a batch.

A batch is corrupted in four phases:

1. plan: on the host, choose for each image its defect type and how many defects of it (``_planned_defects``, ``Plan``);
2. make: call each type once, with all the images that get it, one defect an image (``_make``);
3. filter: undo what changed outside the regions, and whole regions that nobody can see (:func:`visible_changes`);
4. overlay: add the changes to the images; where two overlap, the stronger one shows (:func:`overlay`).
"""

import random
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from adkit.defects.plan import Plan, PlannedDefect
from adkit.defects.registry import DEFECT_TYPES, DefectType, is_builtin, resolve_types
from adkit.defects.sampler import CONTRAST, SIZE, Corruption, Sampler, fresh_generator, host_choices
from adkit.defects.validation import check_batch, check_between, check_corruption, check_interval, check_values

VISIBLE = 1 / 255  # mean change, in grey values from 0 to 1: a region that changes less is no defect


class SyntheticDefects:
    """Put synthetic defects on normal images.

    Each image gets one defect type, and one or several defects of it; where they overlap, the stronger change shows. A
    region whose mean change is below 1/255 is taken back. The work is done on the device of the images, without a loop
    over them and without a read from the device.

    Args:
        defect_types: names from :data:`adkit.defects.DEFECT_TYPES`, instances such as ``Stain(edge=0.8)``, callables of
            your own, or a dict ``name -> one of those``; default: all ten. A callable takes images (n, C, H, W) and a
            :class:`adkit.defects.Sampler` of random numbers, and returns the changed images and the region (n, H, W)
            bool, one defect for each image; where the region is None the whole image is corrupted and there is nothing
            to find. Outside the region its changes are undone.
        weights: how often each type is chosen, one number at least 0 a type, in their order; default: equally often.
        count: smallest and largest number of defects of an image, integers from 1 to 100. Perlin noise, which is many
            blotches, and noise everywhere count as one.
        clean: probability in [0, 1] that an image stays as it is.
        size: smallest and largest extent of a defect, as a fraction in [0.001, 1] of the image's shorter side; chosen
            log-uniformly, at least 3 pixels. Lines and missing yarns have lengths of their own.
        contrast: smallest and largest contrast in [0, 1], for types that change a grey value: opacity of stains and
            lines, twice the change of brightness or the standard deviation of noise.
        check: look whether the images lie in [0, 1]; on a GPU each look makes the host wait.
        kinds: the older name of ``defect_types``.

    Raises:
        ValueError: if a defect type is unknown or a setting is out of its range.

    Example:
        >>> images = torch.rand(8, 1, 64, 64)
        >>> defects = SyntheticDefects(["stain", "line"], count=(1, 1))
        >>> corrupted, mask, kind = defects(images, generator=torch.Generator().manual_seed(0))
        >>> bool((corrupted == images)[:, 0][~mask].all())
        True

        A defect type of your own, a black square in the middle:

        >>> def black_square(images, sampler):
        ...     rows, columns = sampler.grid
        ...     region = ((rows - 32).abs() < 4) & ((columns - 32).abs() < 4)
        ...     return images * ~region, region.expand(len(images), -1, -1)
        >>> corrupted, mask, kind = SyntheticDefects([black_square], count=(1, 1))(images)
        >>> mask.sum((1, 2)).unique().tolist()
        [49]
    """

    def __init__(
        self,
        defect_types: Sequence[str | DefectType] | Mapping[str, str | DefectType] | None = None,
        weights: Sequence[float] | None = None,
        count: tuple[int, int] = (1, 3),
        clean: float = 0.0,
        size: tuple[float, float] = SIZE,
        contrast: tuple[float, float] = CONTRAST,
        check: bool = False,
        kinds: Sequence[str | DefectType] | Mapping[str, str | DefectType] | None = None,
    ):
        if defect_types is not None and kinds is not None:
            raise ValueError("defect_types and kinds are the same argument under two names; pass defect_types alone")
        chosen = kinds if defect_types is None else defect_types
        self._types = resolve_types(tuple(DEFECT_TYPES) if chosen is None else chosen)
        check_interval("count", count, 1, 100)
        if not all(isinstance(number, int) for number in count):
            raise ValueError(f"count must be two integers, got {count!r}")
        check_between("clean", clean, 0, 1)
        check_interval("size", size, 1e-3, 1)
        check_interval("contrast", contrast, 0, 1)
        self.weights = _checked_weights(weights, len(self._types))
        self.count, self.clean, self.size, self.contrast, self.check = count, clean, size, contrast, check

    @property
    def defect_types(self) -> tuple[str, ...]:
        """Names of the defect types; the ``kind`` of an image is an index into them."""
        return tuple(self._types)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The older name of :attr:`defect_types`."""
        return self.defect_types

    @torch.no_grad()
    def __call__(
        self, images: Tensor, foreground: Tensor | None = None, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Corrupt a batch.

        Args:
            images: normal images (B, C, H, W), float32 in [0, 1], on any device.
            foreground: (B, H, W) bool, where defects may lie; default: anywhere.
            generator: on the device of the images; default: one seeded from torch's global state.

        Returns:
            The corrupted images (B, C, H, W) in [0, 1]; the mask (B, H, W) bool of all that changed; the kind (B,)
            long, an index into :attr:`defect_types`, -1 for a clean image. Noise everywhere has its kind and an empty
            mask.

        Raises:
            TypeError: if the images are not float32.
            ValueError: if a shape or a device does not fit, or, with ``check``, the images leave [0, 1].
        """
        check_batch(images, foreground, generator)
        if self.check:
            check_values(images)
        generator = generator or fresh_generator(images.device)
        host = host_choices(generator)
        # A batch that is left clean moves the generator on as well.
        torch.rand(1, device=images.device, generator=generator)

        # Phase 1: plan.
        plan = Plan(self._planned_defects(len(images), host), images)
        if not plan.defects:
            nothing = torch.zeros_like(images[:, 0], dtype=torch.bool)
            return images.clone(), nothing, torch.full((len(images),), -1, device=images.device)
        with torch.autocast(images.device.type, enabled=False):
            # Phase 2: make.
            originals = plan.for_defects(images)
            changed, region, unmasked = self._make(plan, originals, images, foreground, generator, host)
            # Phase 3: filter.
            if foreground is not None:
                region *= plan.for_defects(foreground)
            change, visible = visible_changes(originals, changed, region)
            region *= visible[:, None, None]
            for places in unmasked:
                region[places] = 0
            # Phase 4: overlay.
            mask = plan.sum_for_images(region) > 0
            return overlay(images, change, plan.layers()), mask, plan.kind_of_images(visible)

    def _planned_defects(self, batch_size: int, host: random.Random) -> list[PlannedDefect]:
        """Choose defect type and number of defects for each image."""
        defects = []
        for image in range(batch_size):
            if host.random() >= self.clean:
                number = host.choices(range(len(self._types)), self.weights)[0]
                once = getattr(self._types[self.defect_types[number]], "whole_image", False)
                count = 1 if once else host.randint(*self.count)
                defects += [PlannedDefect(number, image, layer) for layer in range(count)]
        return defects

    def _make(
        self,
        plan: Plan,
        originals: Tensor,
        images: Tensor,
        foreground: Tensor | None,
        generator: torch.Generator,
        host: random.Random,
    ) -> tuple[Tensor, Tensor, list[slice]]:
        """Let each defect type change its share of ``originals`` (n, C, H, W), one for each planned defect.

        Returns:
            The changed images (n, C, H, W); the regions (n, H, W), 0 or 1; and the places, among the n, of defects
            that are everywhere and so have no mask.
        """
        changed, regions, unmasked = [], [], []
        for number, places in plan.places_by_type():
            sampler = Sampler(images, plan.image_index[places], foreground, generator, self.size, self.contrast, host)
            corrupted, region = self._call(self.defect_types[number], originals[places], sampler)
            if region is None:
                region = torch.ones_like(corrupted[:, 0])
                unmasked.append(places)
            changed.append(corrupted)
            regions.append(region.float())
        return _joined(changed), _joined(regions), unmasked

    def _call(self, name: str, images: Tensor, sampler: Sampler) -> Corruption:
        """Call a type; one that is not from here may write into what it gets and keep what it returns: so copies."""
        defect_type = self._types[name]
        if is_builtin(defect_type):
            return defect_type(images, sampler)
        corrupted, region = defect_type(images.clone(), sampler)
        check_corruption(name, tuple(images.shape), corrupted, region)
        return corrupted.clone(), region


def visible_changes(images: Tensor, corrupted: Tensor, region: Tensor) -> tuple[Tensor, Tensor]:
    """Changes that are zero outside their regions, and zero where a whole region cannot be seen.

    A region whose mean change over its pixels and channels is below 1/255 cannot be seen. On a CPU a product with 0 and
    1 is several times faster than a choice by a bool, and new memory costs more than the arithmetic.

    Args:
        images: (n, C, H, W) in [0, 1], the image of each defect.
        corrupted: (n, C, H, W), the same with the defect; overwritten.
        region: (n, H, W), 0 or 1.

    Returns:
        The changes (n, C, H, W), and which regions are visible, (n,) bool.
    """
    change = corrupted.clamp_(0, 1).sub_(images).mul_(region[:, None])
    area = region.sum((1, 2)) * images.shape[1]
    visible = torch.linalg.vector_norm(change, 1, dim=(1, 2, 3)) >= VISIBLE * area.clamp(min=1)
    return change.mul_(visible.float()[:, None, None, None]), visible


def overlay(images: Tensor, change: Tensor, layers: list[tuple[Tensor, Tensor]]) -> Tensor:
    """Lay the changes of all defects over their images; where two overlap, the stronger one shows.

    Args:
        images: (B, C, H, W) in [0, 1].
        change: (n, C, H, W), overwritten.
        layers: for the first defect of each image, the second, …: the places of these defects among the n, and their
            images; none where there is one defect for each image, in order.

    Returns:
        (B, C, H, W) in [0, 1].
    """
    if not layers:
        return change.add_(images).clamp_(0, 1)
    (places, image_index), *upper_layers = layers
    total = torch.zeros_like(images).index_copy_(0, image_index, change.index_select(0, places))
    for places, image_index in upper_layers:
        below, above = total.index_select(0, image_index), change.index_select(0, places)
        total.index_copy_(0, image_index, torch.where(above.abs() > below.abs(), above, below))
    return total.add_(images).clamp_(0, 1)


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _checked_weights(weights: Sequence[float] | None, count: int) -> tuple[float, ...]:
    """Equal weights where none are given."""
    weights = (1.0,) * count if weights is None else tuple(weights)
    if len(weights) != count or min(weights) < 0 or not sum(weights) > 0:
        raise ValueError(f"weights must be {count} numbers, none negative and one positive, got {weights}")
    return weights
