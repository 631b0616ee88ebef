"""Tables: rows by experiment, spread over seeds, the best value marked."""

import statistics
from pathlib import Path

import pytest

from adkit import Experiment, table
from adkit.experiments.evaluation import Evaluation
from adkit.experiments.experiment import Result


def result(seed=0, loss="mse", experiment=None, **values):
    chosen = Experiment(settings={"loss": loss}, seed=seed, **(experiment or {}))
    return Result(chosen, Evaluation(**values), selection={}, history=[], seconds={}, path=Path())


@pytest.fixture
def two_losses():
    return [
        result(0, "mse", image_auroc=0.7, pro=0.5),
        result(1, "mse", image_auroc=0.8, pro=0.4),
        result(0, "ssim", image_auroc=0.9, pro=None),
    ]


def test_rows_are_experiments_and_values_are_seeds(two_losses):
    rows = table(two_losses, ["image_auroc", "pro"]).rows
    assert [(row["name"], row["n"]) for row in rows] == [("loss=mse", 2), ("loss=ssim", 1)]
    assert rows[0]["image_auroc"] == {
        "mean": pytest.approx(0.75),
        "std": statistics.stdev([0.7, 0.8]),
        "values": [0.7, 0.8],
    }
    assert rows[1]["image_auroc"] == {"mean": 0.9, "std": None, "values": [0.9]}
    assert rows[1]["pro"] == {"mean": None, "std": None, "values": []}


def test_text_is_aligned_and_marks_the_best(two_losses):
    assert str(table(two_losses, ["image_auroc", "pro"])).splitlines() == [
        "experiment  seeds  image_auroc    pro",
        "loss=mse    2      0.750 ± 0.071  0.450 ± 0.071 *",
        "loss=ssim   1      0.900 *        –",
    ]
    assert repr(table(two_losses)) == str(table(two_losses))


def test_markdown_and_html_say_the_same(two_losses):
    shown = table(two_losses, ["image_auroc", "pro"])
    assert shown.markdown().splitlines() == [
        "| experiment | seeds | image_auroc | pro |",
        "| --- | ---: | ---: | ---: |",
        "| loss=mse | 2 | 0.750 ± 0.071 | **0.450 ± 0.071** |",
        "| loss=ssim | 1 | **0.900** | – |",
    ]
    page = shown._repr_html_()
    assert page.count("<tr>") == 3
    assert "<td><b>0.900</b></td>" in page


def test_default_columns():
    assert table([result()]).metrics == (
        "image_auroc", "pixel_auroc", "pixel_ap", "pro", "f1_at_threshold", "f1_oracle",
    )  # fmt: skip


def test_a_single_row_has_no_best():
    assert "*" not in str(table([result(image_auroc=0.7)]))


def test_values_that_look_equal_are_both_best():
    shown = table([result(image_auroc=0.90001), result(loss="l1", image_auroc=0.90002)], ["image_auroc"])
    assert str(shown).count("*") == 2


def test_fewer_false_alarms_are_better():
    shown = table(
        [result(false_positive_rate=0.1), result(loss="l1", false_positive_rate=0.2)], ["false_positive_rate"]
    )
    assert "0.100 *" in str(shown)


def test_a_result_that_comes_twice_counts_once(two_losses):
    assert table(two_losses + two_losses).rows == table(two_losses).rows


def test_data_are_named_where_they_differ():
    results = [result(experiment={"category": name, "image_size": (64, 64)}) for name in ("denim", ["denim", "serge"])]
    assert [row["name"] for row in table(results).rows] == [
        "autoencoder, loss=mse, category=denim",
        "autoencoder, loss=mse, category=['denim', 'serge']",
    ]


def test_what_a_table_refuses():
    with pytest.raises(ValueError, match="at least one result, got none"):
        table([])
    with pytest.raises(ValueError, match="unknown metric accuracy, threshold; known: image_auroc"):
        table([result()], ["accuracy", "pro", "threshold"])
