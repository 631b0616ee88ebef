"""A detector to look at: what it makes of a few images, and explorers, whose sliders change the picture.

A static strip is always made, so that a saved notebook shows it. The picture lives in an image widget whose bytes are
replaced: no output is captured or cleared, so nothing flickers, hangs a headless run or piles up.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from adkit.course.written import setting
from adkit.figures.animation import side_by_side
from adkit.figures.frames import is_wide
from adkit.figures.histograms import score_histograms
from adkit.figures.panels import PARTS, colour_scale, detections, panels
from adkit.figures.style import Plot, to_array, to_maps
from adkit.runtime import interactive_mode

# Low, high, step and start; or names to choose from, a list, the first one at the start.
Slider = tuple[float, float, float, float] | list[str]


def detector_panels(detector, items: Sequence[Mapping], *, scale, titles: Sequence[str] | None = None) -> Plot:
    """Image, reconstruction, anomaly map, predicted and true mask of a few items of a dataset.

    Args:
        detector: a fitted detector; one without ``reconstruct`` gets no panel for it.
        items: dicts with ``image``, ``mask`` and ``kind``, as a dataset gives them; all of one size.
        scale: ``(low, high)`` or the upper limit of the maps' colours, from validation normals; see
            :func:`adkit.figures.colour_scale`.
        titles: a text for each item; None: their defect types.

    Returns:
        ``(fig, axes)``, see :func:`adkit.figures.panels`.
    """
    images = [item["image"] for item in items]
    maps = [detector.anomaly_map(image[None])[0] for image in images]
    reconstruct = getattr(detector, "reconstruct", None)
    reconstructed = [reconstruct(image[None])[0] for image in images] if reconstruct else None
    predicted = [a_map >= detector.pixel_threshold for a_map in maps]
    titles = [item["kind"] for item in items] if titles is None else titles
    true = [item["mask"] for item in items]
    return panels(images, reconstructed, maps, predicted, true, scale=scale, titles=titles)


class Explorer:
    """A figure function with settings: its static strip, and sliders where somebody can move them.

    Attributes:
        static: the strip, a `Plot`.
        sliders: name → slider widget; empty where sliders are not wanted.
        picture: the image widget, or None.
        widget: sliders and picture together, or None.
    """

    def __init__(self, plot: Callable[..., Plot], static: Plot):
        self.plot, self.static = plot, static
        self.sliders: dict[str, Any] = {}
        self.picture = self.widget = self.message = None

    def add_sliders(self, sliders: Mapping[str, Slider]) -> None:
        """Add a slider for each setting, or a list to choose from; a slider is heard when it is let go.

        Args:
            sliders: name → ``(low, high, step, start)``; or a list of names, the first one chosen at the start.

        Raises:
            ValueError: if a slider starts outside its range.
            ImportError: if ipywidgets is not installed.
        """
        widgets = import_ipywidgets()
        for name, slider in sliders.items():
            shown = {"description": name, "style": {"description_width": "initial"}}  # the name is shown whole
            if isinstance(slider, list):
                self.sliders[name] = widgets.Dropdown(options=slider, value=slider[0], **shown)
            else:
                low, high, step, start = slider
                if not low <= start <= high:
                    raise ValueError(f"slider {name!r} must start between {low} and {high}, got {start}")
                self.sliders[name] = widgets.FloatSlider(
                    start, min=low, max=high, step=step, readout_format=".4", continuous_update=False, **shown
                )
            self.sliders[name].observe(self.refresh, names="value")
        self.message = widgets.HTML()
        self.picture = widgets.Image(format="png", layout=widgets.Layout(max_width="100%", align_self="flex-start"))
        self.widget = widgets.VBox([widgets.HBox(list(self.sliders.values())), self.message, self.picture])
        self.refresh()

    def refresh(self, change: Any = None) -> None:
        """Make the picture with the sliders' values; an error is shown above it, where the learner sees it.

        Args:
            change: what ipywidgets tells of the moved slider; not needed.
        """
        try:
            self.picture.value = self.plot(**{name: slider.value for name, slider in self.sliders.items()}).png()
            self.message.value = ""
        # The kernel would only log it, and the slider would seem dead.
        except Exception as error:
            self.message.value = f"<b>{type(error).__name__}</b>: {error}"

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.static)
        if self.widget is not None:
            display(self.widget)


def _caption(settings: Mapping[str, float | str]) -> str:
    return ", ".join(value if isinstance(value, str) else setting(name, value) for name, value in settings.items())


def import_ipywidgets():
    """The module ipywidgets, which only explorers with sliders or buttons need.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        import ipywidgets
    except ImportError as error:
        raise ImportError("sliders need ipywidgets: pip install ipywidgets, or pass interactive=False") from error
    return ipywidgets


def explorer(
    plot: Callable[..., Plot],
    sliders: Mapping[str, Slider],
    static: Sequence[Mapping[str, float | str]] | Plot,
    interactive: bool = True,
) -> Explorer:
    """An explorer over any figure function; as the last line of a cell it shows itself.

    Args:
        plot: takes the settings by name and returns a `Plot`.
        sliders: name → ``(low, high, step, start)``; or a list of names to choose from, the first one at the start.
        static: the settings of the static strip, a few pictures side by side; or the strip itself.
        interactive: add the sliders, unless ``ADKIT_FAST`` or ``ADKIT_HEADLESS`` is set.

    Returns:
        The explorer.

    Raises:
        ValueError: if ``static`` is empty or a slider starts outside its range.
        ImportError: if sliders are wanted and ipywidgets is not installed.

    Example:
        >>> from adkit.figures import sweep
        >>> def plot(power):
        ...     return sweep([1, 2, 4], {"y": [x**power for x in (1, 2, 4)]}, xlabel="x", ylabel="y")
        >>> explorer(plot, {"power": (0, 3, 0.1, 1)}, [{"power": 1}, {"power": 2}], interactive=False).static.axes.size
        2
    """
    if not isinstance(static, Plot):
        static = side_by_side([plot(**settings) for settings in static], [_caption(settings) for settings in static])
    made = Explorer(plot, static)
    if interactive_mode(interactive):
        made.add_sliders(sliders)
    return made


def threshold_explorer(image, anomaly_map, mask, threshold, scale, interactive: bool = True) -> Explorer:
    """Move the threshold and see the predicted mask, its IoU and its false-positive area change.

    Args:
        image: (C, H, W) or (H, W) in [0, 1].
        anomaly_map: (H, W).
        mask: bool (H, W), the true one.
        threshold: where to start: a number in the unit of the map, or a threshold with ``value``.
        scale: ``(low, high)`` or the upper limit of the map's colours, from validation normals.
        interactive: add the sliders, unless ``ADKIT_FAST`` or ``ADKIT_HEADLESS`` is set.

    Example:
        >>> made = threshold_explorer(np.zeros((8, 8)), np.eye(8), np.eye(8) > 0, 0.5, 1.0, interactive=False)
        >>> made.static.axes.shape
        (3, 3)
    """
    (a_map,), start = to_maps(anomaly_map), float(getattr(threshold, "value", threshold))
    low = float(min(a_map.min(), start))
    high = max(float(a_map.max()), start + (start - low) / 2)

    def strip(steps: Sequence[float], parts=PARTS) -> Plot:
        frames = ([part] * len(steps) for part in (image, a_map, mask))
        captions = [_caption({"threshold": step}) for step in steps]
        return detections(*frames, captions, scale=scale, thresholds=steps, parts=parts, columns=1)

    static = strip([(low + start) / 2, start, (start + high) / 2], ("mask",) if is_wide(a_map.shape) else PARTS)
    sliders = {"threshold": (low, high, (high - low) / 200, start)}
    return explorer(lambda threshold: strip([threshold]), sliders, static, interactive)


def severity_explorer(
    defective_frame: Callable,
    anomaly_map: Callable,
    interactive: bool = True,
    *,
    scale=None,
    threshold: float | None = None,
    severity: Slider = (0.15, 1.0, 0.05, 0.6),
    size: Slider = (0.1, 1.0, 0.1, 0.5),
) -> Explorer:
    """Move a defect's severity and size and see image, anomaly map and mask change.

    Args:
        defective_frame: ``defective_frame(severity=…, size=…)`` returns an image and the mask (H, W) of its defect.
        anomaly_map: takes that image, returns its anomaly map (H, W).
        interactive: add the sliders, unless ``ADKIT_FAST`` or ``ADKIT_HEADLESS`` is set.
        scale: ``(low, high)`` or the upper limit of the map's colours, from validation normals; None: from what lies
            outside the mildest defect.
        threshold: from which on a pixel of the map is predicted as defective; None: the true mask is shown.
        severity: ``(low, high, step, start)`` of the slider.
        size: ``(low, high, step, start)`` of the slider.

    Example:
        >>> def defective_frame(severity, size):
        ...     mask = np.eye(8) > 0
        ...     return 0.5 + 0.5 * severity * mask, mask
        >>> severity_explorer(defective_frame, lambda image: (image - 0.5) ** 2, interactive=False).static.axes.shape
        (3, 3)
    """
    if scale is None:
        mildest, mask = defective_frame(severity=severity[0], size=size[0])
        scale = colour_scale(to_array(anomaly_map(mildest))[~to_array(mask).astype(bool)][None])

    def strip(*settings: Mapping[str, float]) -> Plot:
        images, masks = zip(*(defective_frame(**setting) for setting in settings), strict=True)
        maps = [anomaly_map(image) for image in images]
        thresholds, captions = [threshold] * len(images), [_caption(setting) for setting in settings]
        return detections(list(images), maps, list(masks), captions, scale=scale, thresholds=thresholds)

    steps = (severity[0], (severity[0] + severity[1]) / 2, severity[1])
    static = strip(*({"severity": step, "size": size[3]} for step in steps))
    sliders = {"severity": severity, "size": size}
    return explorer(lambda severity, size: strip({"severity": severity, "size": size}), sliders, static, interactive)


def rates(normal: Sequence[float], defective: Sequence[float], threshold: float) -> dict[str, float]:
    """What a threshold does: recall, false positive rate, precision and F1, 0 where nothing is flagged.

    Args:
        normal: scores of normal images, at least one.
        defective: scores of defective images, at least one.
        threshold: a score of at least this is flagged.

    Returns:
        ``recall``, ``false positive rate``, ``precision`` and ``F1``, each between 0 and 1.

    Example:
        >>> rates([0.1, 0.4], [0.3, 0.8], threshold=0.4)
        {'recall': 0.5, 'false positive rate': 0.5, 'precision': 0.5, 'F1': 0.5}
    """
    hits, alarms = (int((to_array(scores) >= threshold).sum()) for scores in (defective, normal))
    return {
        "recall": hits / len(defective),
        "false positive rate": alarms / len(normal),
        "precision": hits / max(hits + alarms, 1),
        "F1": 2 * hits / (hits + alarms + len(defective)),
    }


def score_explorer(
    normal: Sequence[float], defective: Sequence[float], threshold: float, interactive: bool = True
) -> Explorer:
    """Move the threshold over the histograms of the scores and read recall, false positives, precision and F1.

    Args:
        normal: scores of normal images.
        defective: scores of defective images.
        threshold: the score at which the slider starts.
        interactive: add the slider, unless ``ADKIT_FAST`` or ``ADKIT_HEADLESS`` is set.

    Raises:
        ValueError: if a group has no scores.

    Example:
        >>> made = score_explorer([1.0, 2.0, 3.0], [2.5, 5.0], threshold=2.8, interactive=False)
        >>> made.static.axes.size
        3
    """
    normal, defective = to_array(normal), to_array(defective)
    if not (len(normal) and len(defective)):
        raise ValueError(f"expected scores of both groups, got {len(normal)} normal and {len(defective)} defective")

    def plot(threshold: float) -> Plot:
        histograms = score_histograms(normal, defective, threshold)
        words = [f"{name} {value:.2f}" for name, value in rates(normal, defective, threshold).items()]
        histograms.axes[0].set_title(", ".join(words), loc="left", fontsize=9, pad=16)
        return histograms

    everything = np.concatenate([normal, defective, [threshold]])
    low, high = float(everything.min()), float(everything.max())
    middle = float(np.median(normal))
    static = [{"threshold": value} for value in (middle, threshold, (threshold + high) / 2)]
    return explorer(plot, {"threshold": (low, high, (high - low) / 200 or 1.0, threshold)}, static, interactive)
