"""One threshold on the curves of one frame, and the slider along them."""

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from adkit.course.curve_explorer import curve_explorer
from adkit.figures import operating_point


def frame(height, width):
    rng = np.random.default_rng(0)
    mask = np.zeros((height, width), bool)
    mask[2:6, 3:9] = True
    a_map = rng.random((height, width)) + 0.5 * mask
    fpr, recall, _ = roc_curve(mask.ravel(), a_map.ravel())
    return a_map, mask, {"ROC": (fpr, recall), "PRO": (fpr, recall)}


@pytest.mark.parametrize("shape", [(16, 16), (16, 80)], ids=["square", "wide"])
def test_the_point_lies_on_the_curve_of_the_marked_pixels(shape):
    a_map, mask, curves = frame(*shape)
    _, axes = operating_point(a_map.clip(0, 1), a_map, mask, curves, threshold=0.9)
    point = axes[1].lines[1].get_xydata()[0]
    predicted = a_map >= 0.9
    assert point[0] == pytest.approx(predicted[~mask].mean())
    assert point[1] == pytest.approx(predicted[mask].mean())
    assert f"{100 * predicted[mask].mean():.0f} % of the defective" in axes[0].get_title(loc="left")
    assert len(axes[2].patches) == 1  # the rates that do not count for PRO
    with pytest.raises(ValueError, match="expected a curve"):
        operating_point(a_map, a_map, mask, {}, 0.9)


def test_the_slider_moves_the_share_of_false_alarms(monkeypatch):
    for name in ("ADKIT_FAST", "ADKIT_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    pytest.importorskip("ipywidgets")
    a_map, mask, curves = frame(16, 80)
    made = curve_explorer(a_map.clip(0, 1), a_map, mask, curves, stills=(1.0, 5.0))
    assert made.static.axes.size == 2
    before = made.picture.value
    made.sliders["false alarms, %"].value = 20.0
    assert made.picture.value != before
    assert made.message.value == ""
