"""Tables and page of a comparison: intervals of the means that they show, differences after Holm, words that fit."""

import math
from dataclasses import replace

import numpy as np
import pytest

from adkit.compare import Comparison, Problem, report
from adkit.experiments.draws import Draws
from adkit.experiments.evaluation import Evaluation
from adkit.experiments.experiment import Experiment, Result


def result(seed=0, **values):
    return Result(Experiment(seed=seed), Evaluation(**values), {}, [], {"fit": 1.0, "evaluate": 1.0}, None)


def made_up():
    """A comparison of known numbers: every draw of the images moves PRO by as much as the draw before, up and down."""
    sizes = [{"low": 0.0, "high": 9.4, "n_regions": 2}, {"low": 9.4, "high": 20.0, "n_regions": 1}]
    sizes += [{"low": 20.0, "high": None, "n_regions": 2}]
    images = [{"path": "", "kind": kind, "score": score} for kind, score in [("good", 0.1), ("dots", 0.9)] * 4]

    def run(seed, pro):
        by_size = [group | {"pro": value} for group, value in zip(sizes, (pro - 0.1, None, pro), strict=True)]
        kinds = {
            "dots": {"pro": pro, "image_auroc": 1.0, "n_regions": 4},
            "cut": {"pro": None, "image_auroc": 0.5, "n_regions": 1},
        }
        moved = pro + 0.05 * np.resize([-1.0, 1.0], 400)
        made = result(seed, image_auroc=1.0, pro=pro, by_kind=kinds, by_size=by_size, images=images)
        return replace(made, draws=Draws({"pro": moved, "image_auroc": np.ones(400)}, {"dots": {"pro": moved}}))

    results = {"a": [run(0, 0.5), run(1, 0.7)], "b|c": [run(0, 0.8)]}
    protocol = {"dataset": "aitex", "category": [2, "04"], "seeds": [0, 1], "draws": 400, "fast": True}
    protocol["frames"] = {"train": 5, "test": 8}
    return Comparison(protocol, results, {}, [])


def test_tables_show_means_and_the_intervals_of_these_means():
    found = made_up()
    assert found.best == "b|c"
    assert str(found) == repr(found) == "Comparison by pro: a 0.600, b|c 0.800"
    assert str(report.table(found)).splitlines() == [
        "experiment  seeds  image_auroc             pro",
        "a           2      1.000 [1.000, 1.000] *  0.600 [0.450, 0.750]",  # either seed, on either draw
        "b|c         1      1.000 [1.000, 1.000] *  0.800 [0.750, 0.850] *",
    ]
    assert str(report.table(found, "defect_types")).splitlines() == [
        "experiment  seeds  dots                    cut",
        "a           2      0.600 [0.450, 0.750]    –",
        "b|c         1      0.800 [0.750, 0.850] *  –",
    ]
    assert (
        str(report.table(found, "defect_types", "image_auroc")).splitlines()[1].split() == "a 2 1.000 * 0.500 *".split()
    )
    assert str(report.table(found, "defect_sizes")).splitlines() == [
        "experiment  seeds  ≤ 9 px (2)  9 to 20 px (1)  > 20 px (2)",
        "a           2      0.500       –               0.600",
        "b|c         1      0.700 *     –               0.800 *",
    ]
    assert "<td>1.0</td>" in report.table(found, "cost")._repr_html_()


def test_a_difference_stands_out_where_it_is_shown_after_holm():
    found = made_up()
    # the images move both alike, so that only the seeds of a are left
    row = "| b\\|c − a | 2 | +0.000 [+0.000, +0.000], p 1.000 | – | **+0.200 [+0.100, +0.300], p 0.005** | – |"
    assert row in report.table(found, "paired").markdown()
    gap = found.against_best()["a"]["pro"]
    assert (gap.p, gap.p_holm, gap.shown) == (pytest.approx(2 / 401), gap.p, True)  # a family of one
    wide = {f"w{k}": [replace(found.results["a"][0], experiment=Experiment(seed=k))] for k in range(20)}
    many = Comparison(found.protocol, found.results | wide, {}, [])
    corrected = many.against_best()["a"]["pro"]
    assert corrected.p == gap.p
    assert (corrected.p_holm, corrected.shown) == (pytest.approx(21 * gap.p), False)
    assert "- `pro` of b|c: not shown against a, w0" in report.page(many)


def test_the_page_says_how_its_numbers_are_meant():
    page = report.page(made_up())
    assert page.startswith("# aitex, 2, 04: 2 methods, 2 seeds\n\n**Fast mode")
    assert "Frames: 5 train, 8 test." in page
    titles = [line[3:] for line in page.splitlines() if line.startswith("## ")]
    assert titles == [
        "All defects", "PRO by defect type", "Image AUROC by defect type", "PRO by defect size",
        "Which differences are real", "Cost",
    ]  # fmt: skip
    assert "| b\\|c | 1 | **1.000 [1.000, 1.000]** | **0.800 [0.750, 0.850]** |" in page
    assert "the 95 % bootstrap interval of that mean: 400 draws of the test images, the same for all methods" in page
    assert "In `pro` every region weighs the same, and dots has 4 of the 5; in `pro_macro` each of the 2" in page
    assert "after Holm's correction" in page
    assert "- `pro` of b|c: better than a." in page
    assert "- `image_auroc` of b|c: not shown against a." in page
    assert "Peak: memory that loading the detector and judging one frame add to a fresh process." in page


def test_without_any_result_there_is_still_a_page():
    problems = [Problem("vae", 0, "failed", "ValueError: no")]
    found = Comparison(made_up().protocol, {}, {}, problems)
    assert found.best is None
    assert "- vae, seed 0, failed: ValueError: no" in report.page(found)
    assert found.as_dict()["methods"] == {}


def test_a_number_that_nobody_could_compute_ranks_nothing():
    found = Comparison({}, {"a": [result()], "b": [result(image_auroc=0.4)]}, {}, [])
    assert found.best == "b"
    assert math.isnan(found.number("a", "pro").value)
