"""What a detector makes of items; explorers: the strip is always there, a moved slider makes a new picture."""

import builtins

import matplotlib
import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import f1_score, precision_score, recall_score

from adkit.course import explorers as explore
from adkit.course.explorers import (
    detector_panels,
    explorer,
    rates,
    score_explorer,
    severity_explorer,
    threshold_explorer,
)
from adkit.figures import heat_table

matplotlib.use("Agg")
SLIDERS = {"power": (0.0, 3.0, 0.5, 1.0)}


@pytest.fixture(autouse=True)
def interactive(monkeypatch):
    monkeypatch.delenv("ADKIT_FAST", raising=False)
    monkeypatch.delenv("ADKIT_HEADLESS", raising=False)


def recorder():
    calls = []

    def plot(power):
        calls.append(power)
        if power == 3.0:
            raise ValueError("too much power")
        return heat_table([[2.0**power]], ["a"], ["b"])

    return plot, calls


def test_a_moved_slider_makes_a_new_picture():
    plot, calls = recorder()
    made = explorer(plot, SLIDERS, [{"power": 0.0}, {"power": 2.0}])
    before = made.picture.value
    assert calls == [0.0, 2.0, 1.0]
    made.sliders["power"].value = 2.5
    assert calls[3:] == [2.5]
    assert made.picture.value != before
    assert bytes(made.picture.value).startswith(b"\x89PNG")
    assert not made.sliders["power"].continuous_update


def test_names_are_chosen_from_a_list_and_stand_in_the_captions():
    def plot(kind, power):
        return heat_table([[2.0**power]], [kind], ["b"])

    choices = {"kind": ["dots", "bright"], "power": SLIDERS["power"]}
    made = explorer(plot, choices, [{"kind": "dots", "power": 1.0}, {"kind": "bright", "power": 2.0}])
    assert made.sliders["kind"].options == ("dots", "bright")
    before = made.picture.value
    made.sliders["kind"].value = "bright"
    assert made.picture.value != before
    assert [ax.get_title(loc="left") for ax in made.static.axes.ravel()] == ["dots, power 1", "bright, power 2"]


def test_an_error_is_shown_and_the_next_move_clears_it():
    made = explorer(recorder()[0], SLIDERS, [{"power": 0.0}])
    made.sliders["power"].value = 3.0
    assert "too much power" in made.message.value
    made.sliders["power"].value = 0.5
    assert made.message.value == ""


@pytest.mark.parametrize("flag", ["ADKIT_FAST", "ADKIT_HEADLESS", None])
def test_headless_there_is_the_static_strip_alone(flag, monkeypatch):
    if flag:
        monkeypatch.setenv(flag, "1")
    monkeypatch.setattr(explore, "import_ipywidgets", lambda: pytest.fail("no widget is wanted here"))
    plot, calls = recorder()
    made = explorer(plot, SLIDERS, [{"power": 0.0}, {"power": 2.0}], interactive=flag is not None)
    assert calls == [0.0, 2.0]
    assert made.sliders == {}
    assert [ax.get_title(loc="left") for ax in made.static.axes] == ["power 0", "power 2"]


def test_an_explorer_shows_its_strip_and_then_its_sliders(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    made = explorer(recorder()[0], SLIDERS, [{"power": 0.0}])
    made._ipython_display_()
    assert shown == [made.static, made.widget]
    shown.clear()
    made = explorer(recorder()[0], SLIDERS, [{"power": 0.0}], interactive=False)
    made._ipython_display_()
    assert shown == [made.static]


def test_errors_name_the_remedy(monkeypatch):
    with pytest.raises(ValueError, match=r"slider 'power' must start between 0 and 1, got 2"):
        explorer(recorder()[0], {"power": (0, 1, 0.1, 2)}, [{"power": 0.0}])
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install ipywidgets"):
        explorer(recorder()[0], SLIDERS, [{"power": 0.0}])


def scene(shape):
    mask = np.zeros(shape, bool)
    mask[10:20, 10:20] = True
    a_map = np.random.default_rng(0).random(shape) * 0.4 + 0.5 * mask
    return np.full(shape, 0.5, np.float32), a_map, mask


@pytest.mark.parametrize("shape", [(44, 244), (64, 64)])
def test_threshold_explorer(shape):
    class Threshold:
        value = 0.45

    made = threshold_explorer(*scene(shape), Threshold(), scale=(0, 1))
    titles = [ax.get_title(loc="left") for ax in made.static.axes[:, -1]]
    assert "IoU 1.00, false area 0.00 %" in titles[1]
    assert "IoU 1.00" not in titles[0]
    before = made.picture.value
    made.sliders["threshold"].value = 0.2
    assert made.picture.value != before
    assert made.message.value == ""


def test_threshold_explorer_on_a_normal_frame_says_that_nothing_is_right():
    image, a_map, mask = scene((64, 64))
    made = threshold_explorer(image, a_map, np.zeros_like(mask), 2.0, scale=1.0, interactive=False)
    assert made.static.axes[1, 2].get_title(loc="left") == "rightly nothing, false area 0.00 %"


@pytest.mark.parametrize("threshold", [None, 0.2])
def test_severity_explorer(threshold):
    seen = []

    def defective_frame(severity, size):
        seen.append((severity, size))
        image, _, mask = scene((44, 244))
        return image + 0.5 * severity * mask, mask

    made = severity_explorer(defective_frame, lambda image: (image - 0.5) ** 2, scale=0.2, threshold=threshold)
    assert made.static.axes.shape == (3, 3)
    before, count = made.picture.value, len(seen)
    made.sliders["severity"].value = 1.0
    assert len(seen) == count + 1
    assert seen[-1] == (1.0, 0.5)
    assert made.picture.value != before
    assert made.message.value == ""


def test_the_picture_is_a_whole_png(tmp_path):
    made = explorer(recorder()[0], SLIDERS, [{"power": 0.0}])
    (tmp_path / "a.png").write_bytes(made.picture.value)
    with Image.open(tmp_path / "a.png") as picture:
        picture.verify()


# ---- the movable threshold: rates against a count by hand


NORMAL, DEFECTIVE = [0.1, 0.2, 0.5, 0.3], [0.15, 0.6, 0.45]


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.45, 0.5, 9.0])
def test_rates_agree_with_scikit_learn(threshold):
    truth, flagged = [0] * 4 + [1] * 3, [score >= threshold for score in NORMAL + DEFECTIVE]
    measured = rates(NORMAL, DEFECTIVE, threshold)
    expected = [score(truth, flagged, zero_division=0) for score in (recall_score, precision_score, f1_score)]
    assert [measured["recall"], measured["precision"], measured["F1"]] == pytest.approx(expected)
    assert measured["false positive rate"] == sum(flagged[:4]) / 4


def test_a_moved_threshold_makes_a_new_picture():
    made = score_explorer(NORMAL, DEFECTIVE, 0.4)
    before = made.picture.value
    made.sliders["threshold"].value = 0.2
    assert made.picture.value != before
    assert made.message.value == ""


def test_scores_of_both_groups_are_needed():
    with pytest.raises(ValueError, match="got 4 normal and 0 defective"):
        score_explorer(NORMAL, [], 0.4)


# ---- what a detector makes of items


class Known:
    """As much of a detector as the panels ask for."""

    pixel_threshold = 0.5

    def anomaly_map(self, images):
        return images[:, 0]


class Reconstruction(Known):
    def reconstruct(self, images):
        return 1 - images


@pytest.mark.parametrize("detector,parts", [(Known(), 4), (Reconstruction(), 5)])
def test_detector_panels_show_what_a_detector_makes_of_items(detector, parts):
    items = [{"image": torch.eye(16)[None], "mask": torch.eye(16) > 0, "kind": kind} for kind in ("line", "crack")]
    plot = detector_panels(detector, items, scale=1.0)
    assert plot.axes.shape == (2, parts)
    assert plot.axes[1, 0].get_title(loc="left").startswith("crack")
