"""A trained VAE under other scorings, compared on the same images; and what its codes say."""

import pytest

from adkit import Experiment, run
from adkit.experiments import paired
from adkit.experiments.studies.latent_codes import code_numbers
from adkit.experiments.studies.rescoring import rescored

TINY = {"latent_dim": 4, "widths": [4, 8], "steps": 3, "crop": 32, "batch_size": 4, "device": "cpu"}


@pytest.fixture(scope="module")
def result():
    return run(Experiment("vae", TINY, image_size=(64, 96), category="denim"), quiet=True)


def test_the_same_scoring_gives_the_same_result(result):
    again = rescored(result)
    assert again.evaluation.pixel_ap == result.evaluation.pixel_ap
    assert again.selection == result.selection
    assert paired([again], [result], "pixel_ap").value == 0


def test_another_scoring_is_compared_on_the_same_images(result):
    other = rescored(result, score_by="kl", smoothing=0.0)
    assert other.experiment.settings["score_by"] == "kl"
    assert other.evaluation.pixel_ap != result.evaluation.pixel_ap
    gap = paired([other], [result], "pixel_ap")
    assert gap.value == pytest.approx(other.evaluation.pixel_ap - result.evaluation.pixel_ap)
    assert gap.low <= gap.value <= gap.high


def test_what_needs_another_training_or_method_is_refused(result):
    with pytest.raises(ValueError, match="latent_dim"):
        rescored(result, latent_dim=8)
    plain = Experiment(settings={"width": 4, "steps": 2, "crop": 32}, image_size=(64, 96), category="denim")
    with pytest.raises(TypeError, match="only a VAE"):
        rescored(run(plain, quiet=True))


def test_numbers_of_codes(result):
    detector, few = result.detector(), result.experiment.splits().validation.subset([0, 1])
    numbers = code_numbers(detector, few)
    assert numbers["error"] == detector.history[-1]["reconstruction"]
    assert numbers["KL, nats"] == detector.history[-1]["kl"]
    assert 0 <= numbers["dimensions used"] <= TINY["latent_dim"]
    for one in (detector.model.mu, detector.model.log_variance):
        one.weight.data.zero_()
        one.bias.data.zero_()
    silent = code_numbers(detector, few)
    assert (silent["dimensions used"], silent["mean σ"]) == (0, 1)
    detector.model.mu.bias.data[:2] = 1.0  # half a nat each
    assert code_numbers(detector, few)["dimensions used"] == 2
