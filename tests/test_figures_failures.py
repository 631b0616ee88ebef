"""The table of verdicts, and the pictures of the cases: what they show, and that the files stay small and true."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from adkit import figures
from adkit.diagnose.failure_modes import (
    DefectMeasurement,
    Shade,
    choose_cases,
    measure_defects,
    type_verdicts,
    view_cases,
)
from adkit.diagnose.failure_modes.figures import failure, failure_pictures, save_pictures, shade_rule, verdict_table
from adkit.figures.style import PREDICTED, TRUE

DOTS = DefectMeasurement(0, "dots", "dot", 40, grey=0.1, surround=0.9, retention=0.1, iou=0.3, iou_otsu=0.2)


def test_each_cell_says_its_verdict_and_its_numbers():
    dark = replace(DOTS, index=1, kind="dark", surround=0.4, retention=float("nan"))
    _, ax = verdict_table(type_verdicts({"plain": [[DOTS, dark]], "add": [[replace(DOTS, iou=0.0)]]}))
    texts = [text.get_text() for text in ax.texts]
    assert texts == [
        *("found, 100 %", "0.90 · 0.10 · 0.30", "inverted, 100 %", "0.40 · – · 0.30"),
        *("segmentation missed, 100 %", "0.90 · 0.10 · 0.00"),
    ]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["dots", "dark"]
    with pytest.raises(ValueError, match="no verdicts at all"):
        verdict_table({})


def test_shades_are_told_by_network_and_tone():
    dark = Shade(0, "dark", gain=0.8, shift=-0.1, share=1.0, grain=0.01, measured=0.7, surround=0.4)
    (ax,) = shade_rule({"plain": [dark, replace(dark, shift=0.1)], "add": [dark]}).axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["plain, darker (1)", "plain, lighter (1)", "add, darker (1)"]
    with pytest.raises(ValueError, match="one or more groups"):
        shade_rule({})


@pytest.mark.parametrize(("shape", "count"), [((44, 244), 5), ((64, 64), 4)])
def test_a_failure_shows_a_window_and_the_whole_of_a_wide_frame(shape, count):
    rng, mask = np.random.default_rng(0), np.zeros(shape, bool)
    mask[20:30, 30:40] = True
    image = rng.random((1, *shape), dtype=np.float32)
    fig, axes = failure(image, image, image[0], ~mask, mask, scale=1.0, caption="two\nlines")
    assert len(axes) == count
    assert {ax.get_images()[0].get_array().shape[:2] for ax in axes[:4]} == {(min(shape),) * 2}
    assert fig.get_suptitle() == "two\nlines"


@pytest.mark.slow
def test_pictures_are_written_small_and_in_their_own_colours(fitted, splits, tmp_path):
    measurements = measure_defects(fitted, splits.test)
    # Two of the cases: all are pictures of one kind, and each takes a second.
    cases = dict(list(choose_cases({"plain": measurements}).items())[:2])
    scale = figures.colour_scale(fitted.judge_images(splits.validation)[0])
    views = view_cases(cases, {"plain": fitted}, splits.test)
    pictures, again = (failure_pictures(cases, views, scales={"plain": scale}) for _ in "ab")
    assert list(pictures) == list(cases)
    files = save_pictures(pictures, tmp_path / "images")
    assert [file.stem for file in files] == list(cases)
    for file, drawing in zip(files, again.values(), strict=True):
        assert file.stat().st_size < 150_000
        with Image.open(file) as picture:
            written = np.asarray(picture.convert("RGB")).astype(int)
        drawn = figures.animation.raster(drawing).astype(int)
        assert np.abs(written - drawn).mean() < 4
        for colour in (TRUE, PREDICTED):
            shade = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
            was, kept = (int((np.abs(each - shade).max(axis=-1) < 12).sum()) for each in (drawn, written))
            assert kept >= 0.8 * was
