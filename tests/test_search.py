"""Weights of a loss: balanced on validation normals, drawn at random, ranked without the test part."""

import pytest
import torch

from adkit import Experiment, run
from adkit.experiments import experiment
from adkit.experiments.studies import loss_search
from adkit.experiments.studies.loss_search import random_weights, search, unit_weights, weighted_loss
from adkit.experiments.studies.selecting import selection_of
from adkit.losses import LOSSES, build_loss

PARTS = ["mse", "l1", "ssim", "focal_frequency", "sobel"]
SCALES = {"mse": 210.0, "l1": 23.0, "ssim": 3.1, "focal_frequency": 1_500_000.0, "sobel": 0.00012}


def blur(images):
    return torch.nn.functional.avg_pool2d(images, 5, 1, 2, count_include_pad=False)


def shares_of(text):
    return {name: weight / SCALES[name] for name, weight in build_loss(text).weights.items()}


def test_balanced_parts_are_all_of_size_one(splits):
    scales = unit_weights(PARTS, blur, splits.validation)
    assert list(scales) == PARTS
    assert max(scales.values()) > 30 * min(scales.values())  # there was something to balance
    loss, found = build_loss(scales), dict.fromkeys(PARTS, 0.0)
    for item in splits.validation:
        loss(blur(item["image"][None]), item["image"][None])
        found = {name: found[name] + scales[name] * loss.components[name] for name in PARTS}
    assert {name: value / len(splits.validation) for name, value in found.items()} == {
        name: pytest.approx(1, rel=0.06)  # two digits: 1 / 0.105 is read as 9.5
        for name in PARTS
    }


def test_more_digits_balance_more_closely(splits):
    two, six = (unit_weights(["mse"], blur, splits.validation, digits)["mse"] for digits in (2, 6))
    assert two == float(f"{six:.2g}")
    assert two != six


def test_what_cannot_be_balanced_is_refused(splits):
    with pytest.raises(ValueError, match="needs losses and images, got \\[\\] and 20 images"):
        unit_weights([], blur, splits.validation.subset(range(20)))
    with pytest.raises(ValueError, match="and 0 images"):
        unit_weights(["mse"], blur, splits.validation.subset([]))
    with pytest.raises(ValueError, match="mse, sobel: 0 on all images"):
        unit_weights(["mse", "sobel"], lambda images: images, splits.validation)
    with pytest.raises(ValueError, match="unknown loss 'mes'"):
        unit_weights(["mes"], blur, splits.validation)


def test_a_mix_keeps_its_shares_and_its_total():
    shares = shares_of(weighted_loss({"mse": 2, "ssim": 6}, SCALES, total=0.04))
    assert shares == {"mse": pytest.approx(0.01, rel=0.05), "ssim": pytest.approx(0.03, rel=0.05)}
    assert list(shares_of(weighted_loss({"mse": 1, "ssim": 0}, SCALES))) == ["mse"]


@pytest.mark.parametrize(
    "shares, message",
    [
        ({"mse": 1, "l3": 1}, "no scale for l3; known: mse, l1"),
        ({"mse": 2, "l1": -1}, "at least 0, one of them above, got {'mse': 2, 'l1': -1}"),
        ({"mse": 0}, "one of them above"),
        ({}, "one of them above"),
    ],
)
def test_impossible_shares_are_refused(shares, message):
    with pytest.raises(ValueError, match=message):
        weighted_loss(shares, SCALES)


def test_random_mixes_are_losses_that_repeat_and_differ():
    drawn = random_weights(SCALES, 40, seed=3, total=0.5)
    assert drawn[:7] == random_weights(SCALES, 7, seed=3, total=0.5)
    assert drawn[:7] != random_weights(SCALES, 7, seed=4, total=0.5)
    assert len(set(drawn)) == 40
    for text in drawn:
        shares = shares_of(text)  # large and small weights too are read back
        assert set(shares) <= set(LOSSES)
        assert sum(shares.values()) == pytest.approx(0.5, rel=0.05)
        assert min(shares.values()) >= 0.05 * 0.5 * 0.95
    assert {len(shares_of(text)) for text in drawn} > {3, 4}  # small shares are left out


@pytest.mark.parametrize("arguments", [{"count": -1}, {"count": 1, "least": 0.2}, {"count": 1, "least": -0.1}])
def test_impossible_draws_are_refused(arguments):
    with pytest.raises(ValueError, match=r"count must be at least 0 and least in \[0, 1 / 5\)"):
        random_weights(SCALES, **arguments)


def test_a_search_ranks_by_validation_within_its_budget(monkeypatch, capsys):
    worth, asked = {"mse": 0.3, "l1": 0.5, "ssim": 0.4, "sobel": 0.9}, []

    def fake(experiment, quiet=True):
        asked.append(experiment)
        return {"ap": worth[experiment.settings["loss"]]}

    monkeypatch.setattr(loss_search, "selection_of", fake)
    found = search(lambda loss: Experiment(settings={"loss": loss}), ["mse", "l1", "mse", "ssim", "sobel"], budget=3)
    assert list(found.items()) == [("l1", 0.5), ("ssim", 0.4), ("mse", 0.3)]
    assert len(asked) == 3
    assert "search" in capsys.readouterr().out


@pytest.mark.slow
def test_a_search_really_runs():
    settings = {"width": 4, "steps": 2, "crop": 32, "device": "cpu"}

    def make(loss):
        return Experiment(settings=settings | {"loss": loss}, category="denim", image_size=(32, 64))

    found = search(make, random_weights({"mse": 100.0, "l1": 10.0}, 2), budget=2)
    assert all(0 <= ap <= 1 for ap in found.values())


@pytest.mark.parametrize("candidates, budget", [([], 3), (["mse"], 0), (["mse"], -1)])
def test_a_search_without_runs_is_refused(candidates, budget):
    with pytest.raises(ValueError, match="search needs candidates and a budget of 1 run at least"):
        search(lambda loss: Experiment(settings={"loss": loss}), candidates, budget)


@pytest.mark.slow
def test_a_selection_is_that_of_a_run_and_shares_its_training(monkeypatch):
    settings = {"width": 4, "steps": 2, "crop": 32, "device": "cpu"}
    tiny = Experiment(settings=settings, category="denim", image_size=(32, 64), seed=41)
    with monkeypatch.context() as forbidden:
        forbidden.setattr(experiment, "judge", None)  # nothing of the test part is judged
        found = selection_of(tiny)
    ran = run(tiny, quiet=True)
    assert found == pytest.approx(ran.selection)
    assert found == selection_of(tiny)  # kept
    assert (ran.path / "detector").is_dir()
