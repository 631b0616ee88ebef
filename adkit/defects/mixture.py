"""How often: a mixture of kinds of defect over a batch, and the contract that every kind is held to."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from adkit.defects.additive import Brightness, Defect, Line, Mask, Noise, Perlin, Stain
from adkit.defects.sampler import CONTRAST, SIZE, Draw, fresh_generator, host_choices, to_device
from adkit.defects.transforming import Blur, CutPaste, MissingYarn, Warp
from adkit.defects.validation import (
    check_batch,
    check_between,
    check_defect,
    check_option,
    check_range,
    check_values,
    overlay,
    visible_changes,
)

Kind = Callable[[Tensor, Draw], Defect]

KINDS: dict[str, Callable[[], Kind]] = {
    "mask": Mask,
    "noise": Noise,
    "stain": Stain,
    "line": Line,
    "cutpaste": CutPaste,
    "perlin": Perlin,
    "brightness": Brightness,
    "blur": Blur,
    "warp": Warp,
    "missing_yarn": MissingYarn,
}


@dataclass(frozen=True)
class Job:
    """One defect to make, decided on the host; jobs sort by kind, so that each kind works on all its images at once."""

    kind: int
    image: int
    turn: int  # the first, second, … defect of its image


class SyntheticDefects:
    """Put synthetic defects on normal images.

    Each image gets one kind, and one or several defects of it; where they overlap, the stronger change shows. A region
    whose mean change is below 1/255 is taken back. The work is done on the device of the images, without a loop over
    them and without a read from the device.

    Args:
        kinds: names from :data:`KINDS`, instances such as ``Stain(edge=0.8)``, callables of your own, or a dict
            ``name -> one of those``; default: all ten. A callable takes images (n, C, H, W) and a :class:`Draw` and
            returns the changed images and the region (n, H, W) bool, one defect for each image; where the region is
            None the whole image is corrupted and there is nothing to find. Outside the region its changes are undone.
        weights: how often each kind is drawn, in the order of ``kinds``; default: equally often.
        count: smallest and largest number of defects of an image. Perlin noise, which is many blotches, and noise
            everywhere count as one.
        clean: probability that an image stays as it is.
        size: range of the extent of a defect, as a fraction of the shorter side, log-uniform, at least 3 pixels.
            Lines and missing yarns have lengths of their own.
        contrast: range of the contrast, for kinds that change a grey value: opacity of stains and lines, twice the
            change of brightness or the standard deviation of noise.
        check: look whether the images lie in [0, 1]; on a GPU each look makes the host wait.

    Raises:
        ValueError: if a kind is unknown or a setting is out of its range.

    Example:
        >>> images = torch.rand(8, 1, 64, 64)
        >>> defects = SyntheticDefects(kinds=["stain", "line"], count=(1, 1))
        >>> corrupted, mask, kind = defects(images, generator=torch.Generator().manual_seed(0))
        >>> bool((corrupted == images)[:, 0][~mask].all())
        True

        A kind of your own, a black square in the middle:

        >>> def black_square(images, draw):
        ...     rows, columns = draw.grid
        ...     region = ((rows - 32).abs() < 4) & ((columns - 32).abs() < 4)
        ...     return images * ~region, region.expand(len(images), -1, -1)
        >>> corrupted, mask, kind = SyntheticDefects([black_square], count=(1, 1))(images)
        >>> mask.sum((1, 2)).unique().tolist()
        [49]
    """

    def __init__(
        self,
        kinds: Sequence[str | Kind] | Mapping[str, str | Kind] | None = None,
        weights: Sequence[float] | None = None,
        count: tuple[int, int] = (1, 3),
        clean: float = 0.0,
        size: tuple[float, float] = SIZE,
        contrast: tuple[float, float] = CONTRAST,
        check: bool = False,
    ):
        self._kinds = _resolve(tuple(KINDS) if kinds is None else kinds)
        check_range("count", count, 1, 100)
        if not all(isinstance(number, int) for number in count):
            raise ValueError(f"count must be two integers, got {count!r}")
        check_between("clean", clean, 0, 1)
        check_range("size", size, 1e-3, 1)
        check_range("contrast", contrast, 0, 1)
        self.weights = _weights(weights, self.kinds)
        self.count, self.clean, self.size, self.contrast, self.check = count, clean, size, contrast, check

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds; the ``kind`` of an image is an index into them."""
        return tuple(self._kinds)

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
            long, an index into :attr:`kinds`, -1 for a clean image. Noise everywhere has its kind and an empty mask.

        Raises:
            TypeError: if the images are not float32.
            ValueError: if a shape or a device does not fit, or, with ``check``, the images leave [0, 1].
        """
        check_batch(images, foreground, generator)
        if self.check:
            check_values(images)
        generator = generator or fresh_generator(images.device)
        host = host_choices(generator)
        torch.rand(1, device=images.device, generator=generator)  # a batch left clean moves the generator on as well
        jobs = self._plan(len(images), host)
        if not jobs:
            nothing = torch.zeros_like(images[:, 0], dtype=torch.bool)
            return images.clone(), nothing, torch.full((len(images),), -1, device=images.device)
        with torch.autocast(images.device.type, enabled=False):
            return self._corrupt(images, foreground, generator, host, jobs)

    def _plan(self, batch_size: int, host: random.Random) -> list[Job]:
        """Choose kind and number of defects for each image."""
        jobs = []
        for image in range(batch_size):
            if host.random() >= self.clean:
                kind = host.choices(range(len(self.kinds)), self.weights)[0]
                once = getattr(self._kinds[self.kinds[kind]], "whole_image", False)
                jobs += [Job(kind, image, turn) for turn in range(1 if once else host.randint(*self.count))]
        return sorted(jobs, key=lambda job: job.kind)

    def _corrupt(
        self,
        images: Tensor,
        foreground: Tensor | None,
        generator: torch.Generator,
        host: random.Random,
        jobs: list[Job],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Make the defects of a plan that is not empty, kind by kind, and lay them over their images."""
        owner = to_device([job.image for job in jobs], images.device)
        in_order = [job.image for job in jobs] == list(range(len(images)))  # one for each: nothing to gather or overlay
        originals = images if in_order else images.index_select(0, owner)
        changed, regions, everywhere = [], [], []
        for index, part in _parts(jobs):
            draw = Draw(images, owner[part], foreground, generator, self.size, self.contrast, host)
            corrupted, region = self._call(self.kinds[index], originals[part], draw)
            if region is None:
                region = torch.ones_like(corrupted[:, 0])
                everywhere.append(part)
            changed.append(corrupted)
            regions.append(region.float())
        region = _joined(regions)  # (n, H, W) of 0 and 1
        if foreground is not None:
            region *= foreground[owner]
        change, seen = visible_changes(originals, _joined(changed), region)
        region *= seen[:, None, None]
        for part in everywhere:
            region[part] = 0
        covered = region if in_order else torch.zeros_like(images[:, 0]).index_add_(0, owner, region)
        corrupted = overlay(images, change, [] if in_order else _rounds(jobs, owner))
        return corrupted, covered > 0, _kind_of_images(len(images), jobs, owner, seen)

    def _call(self, name: str, images: Tensor, draw: Draw) -> Defect:
        """Call a kind; one that is not from here may write into what it gets and keep what it returns: so copies."""
        kind = self._kinds[name]
        if type(kind) in KINDS.values():
            return kind(images, draw)
        corrupted, region = kind(images.clone(), draw)
        check_defect(name, tuple(images.shape), corrupted, region)
        return corrupted.clone(), region


def _parts(jobs: list[Job]) -> list[tuple[int, slice]]:
    """Where in the sorted jobs each kind has its own."""
    kinds = [job.kind for job in jobs]
    return [(kind, slice(kinds.index(kind), kinds.index(kind) + kinds.count(kind))) for kind in sorted(set(kinds))]


def _rounds(jobs: list[Job], owner: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The places of the first defects of all images, of the second, …, and their images."""
    turns = range(1 + max(job.turn for job in jobs))
    rounds = [[place for place, job in enumerate(jobs) if job.turn == turn] for turn in turns]
    return [(which, owner[which]) for which in (to_device(places, owner.device) for places in rounds)]


def _kind_of_images(count: int, jobs: list[Job], owner: Tensor, seen: Tensor) -> Tensor:
    """Kind (B,) of each image, -1 where no defect was drawn or none is to be seen."""
    planned = dict.fromkeys(range(count), -1) | {job.image: job.kind for job in jobs}
    visible = torch.zeros(count, device=owner.device).index_add_(0, owner, seen.float())
    return to_device(list(planned.values()), owner.device).masked_fill_(visible == 0, -1)


def _joined(parts: list[Tensor]) -> Tensor:
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def _resolve(kinds: Sequence[str | Kind] | Mapping[str, str | Kind]) -> dict[str, Kind]:
    """Kinds by name, with the names looked up."""
    if isinstance(kinds, str) or not isinstance(kinds, Sequence | Mapping) or not kinds:
        raise ValueError(
            f"kinds must be a list or a dict of at least one kind, got {kinds!r}; known: {', '.join(KINDS)}"
        )
    named = list(kinds.items()) if isinstance(kinds, Mapping) else [(_name(kind), kind) for kind in kinds]
    if len(dict(named)) < len(named):
        raise ValueError(
            f"kinds must have different names, got {[name for name, _ in named]}; give a dict name -> kind"
        )
    return {name: _make(kind) for name, kind in named}


def _name(kind: str | Kind) -> str:
    known = {make: name for name, make in KINDS.items()}
    return kind if isinstance(kind, str) else known.get(type(kind), getattr(kind, "__name__", type(kind).__name__))


def _make(kind: str | Kind) -> Kind:
    if isinstance(kind, str):
        check_option("a kind", kind, KINDS)
        return KINDS[kind]()
    if not callable(kind) or isinstance(kind, type):
        raise ValueError(
            f"a kind must be a name, an instance or a callable (images, draw) -> (changed, region), got {kind!r}"
        )
    return kind


def _weights(weights: Sequence[float] | None, kinds: tuple[str, ...]) -> tuple[float, ...]:
    """Equal weights where none are given."""
    weights = (1.0,) * len(kinds) if weights is None else tuple(weights)
    if len(weights) != len(kinds) or min(weights) < 0 or not sum(weights) > 0:
        raise ValueError(f"weights must be {len(kinds)} numbers, none negative and one positive, got {weights}")
    return weights
