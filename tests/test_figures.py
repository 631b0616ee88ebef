"""Figures are read by people; the tests hold what a person would only notice late."""

import importlib
import io
from dataclasses import dataclass

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from PIL import Image, ImageSequence
from scipy.integrate import trapezoid

from adkit import figures, metrics
from adkit.figures import animation, curves, marks, style

matplotlib.use("Agg")


@dataclass
class Interval:
    value: float
    low: float
    high: float


def frame(height=44, width=244, defect=True):
    image = np.random.default_rng(0).random((1, height, width), dtype=np.float32)
    mask = np.zeros((height, width), bool)
    mask[10:13, 50:54] = defect
    return image, image * 0.9, image[0] ** 2, mask


def test_importing_and_plotting_leave_pyplot_and_settings_alone():
    pyplot = importlib.import_module("matplotlib.pyplot")
    before = dict(matplotlib.rcParams)
    for _ in range(25):  # pyplot warns above 20 open figures, and warnings are errors here
        figures.heat_table([[1.0]], ["a"], ["b"])
    assert not pyplot.get_fignums()
    assert dict(matplotlib.rcParams) == before


def test_the_style_holds_when_the_picture_is_made_later():
    first, second = (figures.sweep([1, 2], {"y": [1, 2]}, xlabel="x", ylabel="y") for _ in range(2))
    with matplotlib.rc_context({"xtick.major.size": 20, "axes.linewidth": 5, "ytick.labelsize": 30}):
        picture = first.png()
    assert picture == second.png()


def test_a_plot_shows_itself_unpacks_and_saves(tmp_path):
    plot = figures.strips(*frame()[:1], ["one"])
    fig, axes = plot
    picture, words = plot._repr_png_()
    assert picture.startswith(b"\x89PNG")
    assert words["alt"].endswith(": one")
    assert "figure of" in repr(plot)
    assert axes.shape == (1, 1)
    assert axes[0, 0].figure is fig
    plot.save(tmp_path / "strip.png")
    with Image.open(tmp_path / "strip.png") as picture:
        assert picture.width > picture.height


@pytest.mark.parametrize("form", ["numpy", "tensor", "list", "rgb", "uint8"])
@pytest.mark.parametrize("shape", [(44, 244), (64, 64)])
def test_panels_take_any_form_and_shape(form, shape):
    image, rebuilt, a_map, mask = frame(*shape)
    images, rebuilts, maps, masks = (np.stack([part, part, part]) for part in (image, rebuilt, a_map, mask))
    if form == "tensor":
        images, rebuilts, maps, masks = (torch.from_numpy(part) for part in (images, rebuilts, maps, masks))
        rebuilts = rebuilts.bfloat16()
    if form == "list":
        images, rebuilts, maps, masks = (list(part) for part in (images, rebuilts, maps, masks))
    if form == "rgb":
        images, rebuilts = images.repeat(3, axis=1), rebuilts.repeat(3, axis=1)
    if form == "uint8":
        images = (images * 255).astype(np.uint8)
    plot = figures.panels(images, rebuilts, maps, masks, masks, scale=(0.1, 0.9), titles=["a", "b", "c"])
    assert plot.axes.shape == (3, 5)
    assert plot.png()


def test_panels_share_one_colour_scale_and_the_true_scale_of_the_image():
    image, rebuilt, a_map, mask = frame()
    _, axes = figures.panels([image, image], [rebuilt] * 2, [a_map, 9 * a_map], [mask] * 2, [mask] * 2, scale=0.5)
    assert [ax.images[0].get_clim() for ax in axes[:, 2]] == [(0.0, 0.5)] * 2
    assert axes[0, 0].images[0].get_clim() == (0, 1)


def test_wide_frames_are_stacked_and_square_ones_side_by_side():
    def places(shape):
        fig, axes = figures.panels(*frame(*shape), frame(*shape)[3], scale=1.0)
        fig.canvas.draw()
        return [ax.get_position() for ax in axes[0]]

    wide, square = places((44, 244)), places((64, 64))
    assert len({round(place.x0, 3) for place in wide}) == 1
    assert sorted({place.y0 for place in wide}, reverse=True) == [place.y0 for place in wide]
    assert len({round(place.y0, 3) for place in square}) == 1


def test_panels_without_reconstruction_and_without_defect_say_so():
    image, _, a_map, mask = frame(defect=False)
    _, axes = figures.panels(image, None, a_map, mask, mask, scale=1.0)
    assert axes.shape == (1, 4)
    assert [ax.texts[0].get_text() for ax in axes[0, -2:]] == ["nothing predicted", "no defect"]


@pytest.mark.slow
def test_a_tiny_defect_changes_many_pixels_of_the_picture():
    image, rebuilt, a_map, mask = frame(88, 488, defect=False)
    dot = mask.copy()
    dot[50, 300] = True
    without, with_dot = (
        animation.raster(figures.panels(image, rebuilt, a_map, mask, true, scale=1.0)) for true in (mask, dot)
    )
    assert (without.astype(int) != with_dot).any(axis=-1).sum() > 300


def test_rings_hold_clusters_together_and_spare_large_defects():
    def rings(mask):
        fig = style.new_figure(2.0)
        ax = fig.subplots()
        marks.outline(ax, mask, style.TRUE)
        return len(ax.patches)

    mask = np.zeros((176, 976), bool)
    mask[50, 300], mask[54, 306] = True, True
    assert rings(mask) == 1
    mask[20:120, 500:700] = True
    assert rings(mask) == 1
    mask[::20, ::20] = True
    assert rings(mask) <= marks.MOST_RINGS


def test_colour_scale_puts_the_brightest_normals_half_way():
    maps = np.random.default_rng(0).random((4, 32, 32))
    low, high = figures.colour_scale(list(maps))
    assert low == pytest.approx(np.median(maps))
    assert (low + high) / 2 == pytest.approx(np.percentile(maps, 99.9))
    assert figures.colour_scale(np.ones((1, 2, 2)))[1] > 1


def test_strips_and_samples_zoom_on_the_largest_defect():
    image, _, _, mask = frame()
    _, axes = figures.strips([image, image], ["a", "b"], [mask, ~mask], zoom=True)
    assert axes.shape == (2, 2)
    left, right = sorted(axes[0, 0].patches[0].get_bbox().intervalx)
    assert left < 50 < 53 < right
    assert figures.samples([image], [mask], ["dots"]).axes.shape == (1, 2)
    square = frame(64, 64)
    plot = figures.samples([square[0]] * 2, [square[3]] * 2, ["dots", "bright"])
    assert plot.axes.shape == (2, 2)
    assert plot.png()


def test_zoom_box_stays_inside_the_frame():
    for y, x in ((0, 0), (175, 975), (90, 3)):
        mask = np.zeros((176, 976), bool)
        mask[y, x] = True
        top, left, height, width = marks.zoom_box(mask)
        assert 0 <= top <= y < top + height <= 176
        assert 0 <= left <= x < left + width <= 976
    assert marks.zoom_box(np.zeros((176, 976), bool)) == (64, 464, 48, 48)


def test_training_curves_draw_what_the_history_has():
    rows = [{"step": s, "loss": 1 / s, "mse": 2 / s, "ssim": None, "learning_rate": 0.1} for s in range(1, 9)]
    rows[3] |= {"validation": 0.3, "ssim": float("nan")}
    rows[7] |= {"validation": 0.2}
    _, axes = figures.training_curves(rows)
    assert [ax.get_title(loc="left") for ax in axes] == [
        "loss; best validation 0.2 at step 8",
        "its parts",
        "learning rate",
    ]
    assert len(axes[1].lines) == 1  # ssim holds no finite number
    assert axes[2].get_yscale() == "linear"
    assert len(figures.training_curves([{"step": 1, "validation": -1.0}]).axes) == 1
    assert len(figures.training_curves(rows, parts=["mse"]).axes[1].lines) == 1


def span(band):
    """Left and right end of a vertical band, which is a polygon or a rectangle as matplotlib pleases."""
    return band.get_path().transformed(band.get_patch_transform()).get_extents().intervalx.tolist()


def test_score_histograms_draw_the_threshold_with_its_spread():
    threshold = Interval(2.0, 1.5, 2.5)
    plot = figures.score_histograms([1, 1.5, 2.2], None, threshold, {"dots": [1, 3], "bright": [4, 5]})
    texts = [text.get_text() for text in plot.axes[1].texts]
    assert texts == ["1 of 3 above", "1 of 2 above", "2 of 2 above"]
    (band,) = [p for p in plot.axes[1].patches]
    assert span(band) == [1.5, 2.5]
    assert len(figures.score_histograms([1, 2], [3, 4]).axes) == 1
    assert plot.png()


def test_roc_pro_curves_shade_what_does_not_count():
    line = (np.linspace(0, 1, 5), np.linspace(0, 1, 5) ** 0.5, np.zeros(5))
    _, (roc, pro) = figures.roc_pro_curves({"mse": {"roc": line, "pro": line, "auroc": 0.8}}, fpr_limit=0.2)
    assert roc.get_legend().get_texts()[0].get_text() == "mse  0.800"
    assert pro.get_legend().get_texts()[0].get_text() == "mse"
    assert span(pro.patches[0])[0] == 0.2


def test_roc_pro_curves_of_masks_and_maps_name_the_areas_under_them():
    rng = np.random.default_rng(0)
    masks = list(rng.random((3, 20, 30)) < 0.05)
    maps = [rng.random((20, 30)) + 0.4 * mask for mask in masks]
    expected = metrics.pixel_metrics(masks, maps, fpr_limit=0.2)
    unknown = ([*masks, None], [*maps, maps[0]])  # an image whose truth is not known is left out
    _, (roc, pro) = figures.roc_pro_curves({"known": (masks, maps), "and more": unknown}, fpr_limit=0.2)
    areas = [text.get_text().split()[-1] for text in roc.get_legend().get_texts() + pro.get_legend().get_texts()]
    assert areas == [f"{expected.auroc:.3f}"] * 2 + [f"{expected.pro:.3f}"] * 2
    fpr, tpr = roc.lines[0].get_data()
    assert len(fpr) <= 400
    assert trapezoid(tpr, fpr) == pytest.approx(expected.auroc, abs=1e-3)
    np.testing.assert_array_equal(roc.lines[0].get_data(), roc.lines[1].get_data())


def test_comparison_takes_numbers_triples_and_intervals():
    table = [
        {"loss": "mse", "AUROC": 0.8, "PRO": Interval(0.6, 0.5, 0.7)},
        {"loss": "ssim", "AUROC": (0.9, 0.85, 0.95), "PRO": None},
    ]
    plot = figures.comparison(table, reference={"AUROC": 0.5})
    assert [ax.get_title(loc="left") for ax in plot.axes] == ["AUROC", "PRO"]
    assert [t.get_text() for t in plot.axes[0].texts] == ["0.800", "0.900"]
    assert len(plot.axes[1].texts) == 1
    assert plot.png()


def test_sweep_draws_seeds_as_a_band():
    values = [[0.6, 0.8], [0.7, 0.9]]
    intervals = [Interval(0.5, 0.4, 0.6)] * 2
    _, ax = figures.sweep(
        [4, 8], {"a": values, "b": intervals, "c": [1, 2]}, xlabel="latent", ylabel="AUROC", chance=0.5
    )
    assert ax.lines[0].get_ydata().tolist() == pytest.approx([0.7, 0.8])
    assert ax.collections[0].get_datalim(ax.transData).intervaly.tolist() == pytest.approx([0.6, 0.9])
    assert ax.get_xscale() == "log"


def test_names_at_line_ends_never_overlap():
    placed = curves.spread([0.5, 0.52, 0.51, 0.9, 0.1], gap=0.1)
    assert np.diff(np.sort(placed)).min() >= 0.1 - 1e-12
    assert np.argsort(placed).tolist() == [4, 0, 2, 1, 3]


def test_heat_table_reads_in_grey():
    _, ax = figures.heat_table([[0.0, 1.0], [np.nan, 0.5]], ["a", "b"], ["c", "d"], label="AP")
    assert [text.get_text() for text in ax.texts] == ["0.00", "1.00", "–", "0.50"]
    assert ax.texts[1].get_color() == "white"
    assert ax.texts[0].get_color() == style.INK


def test_spectrum_shows_that_a_blur_loses_fine_frequencies():
    image = np.random.default_rng(0).random((1, 64, 96))
    blurred = (image + np.roll(image, 1, -1) + np.roll(image, 1, -2)) / 3
    _, axes = figures.spectrum(image.repeat(3, axis=0), blurred)
    sharp, soft = (line.get_ydata()[-5:].mean() for line in axes[2].lines)
    assert soft < 0.5 * sharp


def test_gif_and_side_by_side(tmp_path):
    plot = figures.heat_table([[1.0]], ["a"], ["b"])
    figures.gif(tmp_path / "a.gif", [plot, np.zeros((9, 9)), torch.ones(3, 9, 9)])
    with Image.open(tmp_path / "a.gif") as picture:
        assert picture.n_frames == 3
    assert figures.side_by_side([plot] * 3, ["x", "y", "z"]).axes.size == 3


def test_frames_of_a_gif_share_a_palette_and_keep_their_times_and_nearly_their_shades():
    grey = np.random.default_rng(0).normal(130, 30, (3, 60, 80)).clip(0, 255).astype(np.uint8)
    frames = [Image.fromarray(frame).convert("RGB") for frame in grey]
    with Image.open(io.BytesIO(animation.encoded_gif(frames, [300, 300, 900]))) as picture:
        shown = [(np.asarray(f.convert("L")), f.info["duration"]) for f in ImageSequence.Iterator(picture)]
    assert [time for _, time in shown] == [300, 300, 900]
    colours = np.unique(np.concatenate([pixels for pixels, _ in shown]))
    assert len(colours) <= animation.GIF_COLOURS
    for (pixels, _), frame in zip(shown, grey, strict=True):
        assert np.abs(pixels.astype(int) - frame).mean() < 3  # of 255


def luminance(colour):
    return float(np.dot(to_rgb(colour), [0.299, 0.587, 0.114]))


def test_colours_differ_in_grey_where_they_meet():
    assert abs(luminance(style.TRUE) - luminance(style.PREDICTED)) > 0.08
    assert max(luminance(style.TRUE), luminance(style.PREDICTED)) < 0.55 < 0.8  # dark on the faded, light image
    shades = [luminance(matplotlib.colormaps[style.MAP](v)) for v in np.linspace(0, 1, 64)]
    assert np.diff(shades).min() > 0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: figures.strips(np.zeros((1, 2, 8, 8)), ["x"]), r"an image must have shape .* got \(2, 8, 8\)"),
        (lambda: figures.panels(*frame(), frame()[3], scale=1, titles=["a", "b"]), "needs as many .* for 1 images"),
        (lambda: figures.panels(*frame(), frame()[3], scale=(1, 1)), r"low < high, got \(1.0, 1.0\)"),
        (lambda: figures.strips(frame()[0], ["a", "b"]), "expected one title and one mask a frame, got 2 titles"),
        (lambda: figures.strips(frame()[0], ["a"], zoom=True), "it needs masks; got masks=None"),
        (lambda: figures.training_curves([{"step": 1, "mse": 2.0}]), r"got the keys \['step', 'mse'\]"),
        (lambda: figures.roc_pro_curves({}), "expected at least one method"),
        (lambda: figures.sweep([1, 2], {"a": [1]}, xlabel="latent", ylabel="y"), "'a' has 1 values for 2 values of l"),
        (lambda: figures.score_histograms([1.0]), "needs the scores of anomalous images, or by_kind"),
        (lambda: figures.comparison([{"loss": "mse"}]), "a table without metrics"),
        (lambda: figures.heat_table([[1.0]], ["a"], ["b", "c"]), r"shape \(1, 2\), as rows and columns, got \(1, 1\)"),
        (lambda: figures.spectrum(np.zeros((8, 8)), np.zeros((8, 9))), r"one size, got \(8, 8\) and \(8, 9\)"),
        (lambda: figures.gif("a.gif", []), "at least one frame, got none"),
        (lambda: figures.side_by_side([], []), "at least one figure and a caption each, got 0 and 0"),
    ],
)
def test_errors_say_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
