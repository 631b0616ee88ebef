"""Many ways to make a map, by defect type, with intervals: which loss, which residual, which smoothing.

Each trained network reconstructs every frame once; a residual and a smoothing are then cheap, so all their combinations
are measured on the same frames, and on the same bootstrap samples of them: any two can be compared by subtraction.
"""

import html
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from adkit.data.samples import NORMAL
from adkit.metrics import Interval
from adkit.metrics.intervals import interval_of
from adkit.metrics.resampling import ScoreTable, counts_of_groups
from adkit.metrics.seeds import mean_of_drawn_seeds
from adkit.metrics.significance import LEVEL, Difference, difference_of
from adkit.runtime.cores import in_threads
from adkit.scoring import MAP_METHODS, gaussian_smooth

Setting = tuple[str, str, float]  # loss of the training, residual, sigma of the smoothing in pixels
MEAN = "mean of types"


@dataclass(frozen=True, repr=False)
class ScoreGrid:
    """One measure of many settings, by defect type, and as the mean of the types.

    Attributes:
        settings: S of (loss, residual, sigma).
        kinds: K names: the defect types, and last ``mean of types``.
        measure: ``pro`` or ``ap``.
        values: (S, K), means over the trainings of a loss.
        draws: (S, K, n) the same on bootstrap samples of the frames.
    """

    settings: tuple[Setting, ...]
    kinds: tuple[str, ...]
    measure: str
    values: np.ndarray
    draws: np.ndarray

    def interval(self, setting: Setting, kind: str = MEAN) -> Interval:
        """A number with its 95 % bootstrap interval.

        Args:
            setting: one of ``settings``.
            kind: one of ``kinds``.
        """
        place = self._place(setting, kind)
        return interval_of(float(self.values[place]), self.draws[place], LEVEL)

    def difference(self, a: Setting, b: Setting, kind: str = MEAN) -> Difference:
        """How much better one setting is than another, on the same frames.

        Args:
            a: one of ``settings``.
            b: another one.
            kind: one of ``kinds``.
        """
        one, other = self._place(a, kind), self._place(b, kind)
        return difference_of(float(self.values[one] - self.values[other]), self.draws[one] - self.draws[other])

    def best(self, kind: str = MEAN) -> Setting:
        """The setting with the highest value.

        Args:
            kind: one of ``kinds``.
        """
        return self.settings[int(self.values[:, self.kinds.index(kind)].argmax())]

    def table(self, kind: str = MEAN) -> tuple[np.ndarray, list[str], list[str]]:
        """The values of one type as a table: a row for each loss, a column for each residual and sigma.

        Args:
            kind: one of ``kinds``.

        Returns:
            (R, C) values, NaN where a setting was not tried; R names; C names.
        """
        losses = list(dict.fromkeys(loss for loss, _, _ in self.settings))
        maps = list(dict.fromkeys((residual, sigma) for _, residual, sigma in self.settings))
        values = np.full((len(losses), len(maps)), np.nan)
        for (loss, *rest), value in zip(self.settings, self.values[:, self.kinds.index(kind)], strict=True):
            values[losses.index(loss), maps.index(tuple(rest))] = value
        return values, losses, [f"{residual}, {sigma:g}" for residual, sigma in maps]

    def _place(self, setting: Setting, kind: str) -> tuple[int, int]:
        return self.settings.index(tuple(setting)), self.kinds.index(kind)

    def __repr__(self) -> str:
        lines = []
        for kind in self.kinds:
            for row in self.values[:, self.kinds.index(kind)].argsort()[::-1][:3]:
                lines.append(f"{kind:<14} {self.interval(self.settings[row], kind)}  {told(self.settings[row])}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in ("loss", "residual", "sigma", *self.kinds))
        body = ""
        for setting, row in zip(self.settings, self.values, strict=True):
            cells = [*(html.escape(str(part)) for part in setting)]
            for kind, value in zip(self.kinds, row, strict=True):
                text = str(self.interval(setting, kind))
                cells.append(f"<b>{text}</b>" if value == self.values[:, self.kinds.index(kind)].max() else text)
            body += f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        count, measure = len(self.settings), self.measure.upper()
        title = f"all {count} settings: {measure} with 95 % intervals, the best of a column bold"
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"<details><summary>{title}</summary>{table}</details>"


def told(setting: Setting) -> str:
    """A setting in words.

    Args:
        setting: (loss, residual, sigma).

    Example:
        >>> told(("l1", "ssim", 4.0))
        'l1 loss, ssim residual, sigma 4'
    """
    loss, residual, sigma = setting
    return f"{loss} loss, {residual} residual, sigma {sigma:g}"


def score_grid(
    trainings: Mapping[str, Sequence[Callable[[Tensor], Tensor]]],
    items: Sequence[Mapping],
    settings: Sequence[Setting],
    measure: str = "pro",
    n: int = 200,
    seed: int = 0,
) -> ScoreGrid:
    """Measure many settings by defect type.

    Args:
        trainings: loss → ``reconstruct`` of one or several fitted detectors, (B, C, H, W) to (B, C, H, W).
        items: frames as a dataset gives them: ``image`` (C, H, W), ``mask`` (H, W), ``foreground`` (H, W), ``kind``;
            normal ones, of kind ``good``, and defective ones. Each type is measured with all normal frames.
        settings: (loss, residual, sigma): a name of ``trainings``, one of ``adkit.scoring.MAP_METHODS``, pixels.
        measure: ``pro`` or ``ap``; counted in fine bins of score, to about 1e-4.
        n: bootstrap samples; each type of frames is drawn for itself.
        seed: whole number; another one draws other samples.

    Raises:
        ValueError: if there is nothing to measure, a name is unknown, or no frame shows a defect.

    Example:
        >>> from adkit import load_dataset
        >>> test = load_dataset("textile", image_size=(64, 64)).test
        >>> items = [test[i] for i in (*range(0, len(test), 9),)]
        >>> settings = [("half", "l2", 2.0), ("half", "ssim", 2.0)]
        >>> found = score_grid({"half": [lambda images: images / 2]}, items, settings, n=20)
        >>> found.values.shape[0], found.kinds[-1], found.best() in settings
        (2, 'mean of types', True)
    """
    settings = tuple((loss, residual, float(sigma)) for loss, residual, sigma in settings)
    kinds = _check(trainings, items, settings, measure)
    masks, found = [np.asarray(item["mask"]) for item in items], [str(item["kind"]) for item in items]
    counts = counts_of_groups(found, list(dict.fromkeys(found)), n, seed)
    counts = np.concatenate([np.ones((1, len(items))), counts])  # the frames themselves first
    rows = {kind: [i for i, other in enumerate(found) if other in (kind, NORMAL)] for kind in kinds}
    measured: dict[Setting, list[np.ndarray]] = {setting: [] for setting in settings}

    def of_maps(maps: list[np.ndarray]) -> np.ndarray:
        table = ScoreTable.of_maps(masks, maps)
        drawn = [table.measure(counts, rows=rows[kind], names=(measure,))[measure] for kind in kinds]
        return np.stack([*drawn, np.mean(drawn, axis=0)])

    for loss, reconstructs in trainings.items():
        asked = {setting for setting in settings if setting[0] == loss}
        for reconstruct in reconstructs if asked else ():
            for setting, drawn in _measured(reconstruct, items, asked, of_maps):
                measured[setting].append(drawn)
    values = np.stack([np.mean(measured[setting], axis=0)[:, 0] for setting in settings])
    draws = [_over_trainings(np.stack(measured[setting])[..., 1:], setting[0]) for setting in settings]
    return ScoreGrid(settings, (*kinds, MEAN), measure, values, np.stack(draws))


def _over_trainings(draws: np.ndarray, loss: str) -> np.ndarray:
    """(T, K, n) of several trainings as (K, n): which trainings count is drawn, the same for all maps of a loss."""
    drawn_by = zlib.crc32(loss.encode())
    return np.stack([mean_of_drawn_seeds(of_kind, drawn_by) for of_kind in draws.swapaxes(0, 1)])


def _measured(reconstruct: Callable, items: Sequence[Mapping], settings: set[Setting], of_maps: Callable):
    """Each setting of one training with what ``of_maps`` makes of its maps, a list of (H, W), one for each frame."""

    def of_setting(setting: Setting) -> np.ndarray:
        _, residual, sigma = setting
        with torch.inference_mode():  # each thread has its own
            smooth = [gaussian_smooth(one, sigma)[0] for one in raw[residual]]
            return of_maps([(one * item["foreground"]).numpy() for one, item in zip(smooth, items, strict=True)])

    with torch.inference_mode():
        pairs = [(item["image"][None], reconstruct(item["image"][None]).cpu()) for item in items]
        raw = {name: [MAP_METHODS[name](*pair) for pair in pairs] for name in {name for _, name, _ in settings}}
    return zip(settings, in_threads(of_setting, settings), strict=True)


def _check(trainings: Mapping, items: Sequence[Mapping], settings: Sequence[Setting], measure: str) -> list[str]:
    """The defect types, in the order in which they come."""
    if measure not in ("pro", "ap"):
        raise ValueError(f"measure must be pro or ap, got {measure!r}")
    for loss, residual, _ in settings:
        if loss not in trainings or residual not in MAP_METHODS:
            raise ValueError(
                f"a setting is (loss, residual, sigma), with a loss of {', '.join(trainings)} and a residual of "
                f"{', '.join(MAP_METHODS)}; got {loss!r} and {residual!r}"
            )
    kinds = list(dict.fromkeys(str(item["kind"]) for item in items if np.asarray(item["mask"]).any()))
    if not settings or not kinds or len(set(settings)) < len(settings):
        raise ValueError(f"needs different settings, and frames with defects; got {len(settings)} and types {kinds}")
    return kinds
