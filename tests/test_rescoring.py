"""Another scoring of a training: its sums are the detector's own maps, and both are judged on the same draws."""

import numpy as np
import pytest

from adkit import Experiment, over_seeds, run
from adkit.experiments import paired
from adkit.experiments.studies.rescoring import TermMaps, in_latent_space, rejudged
from adkit.experiments.studies.synthetic_frames import synthetic_frames

SETTINGS = {"width": 4, "depth": 2, "steps": 2, "crop": 32, "device": "cpu"}


@pytest.fixture(scope="module")
def result():
    return run(Experiment(settings=SETTINGS, category="denim", image_size=(32, 64)), quiet=True)


def test_weighted_terms_are_the_maps_of_a_detector_with_these_weights(result):
    detector = in_latent_space(result, distance="mean", level_weights=[0.5, 2.0, 0.0], residual_weight=3.0)
    items = synthetic_frames(result.experiment.splits().validation.subset(range(3)), ["stain"], each=2)
    terms = TermMaps.of(detector, items)
    assert terms.names == ("level 0", "level 1", "bottleneck", "residual")
    for one, item in zip(terms.fused([0.5, 2.0, 0.0, 3.0]), items, strict=True):
        np.testing.assert_allclose(one, detector.anomaly_map(item["image"][None])[0], rtol=1e-3, atol=1e-3)
    assert 0 <= terms.metrics([1, 0, 0, 0]).ap <= 1


def test_a_result_is_judged_again_on_the_same_draws(result):
    again = rejudged(result, in_latent_space(result, distance="reconstruction"))
    assert again.experiment.method == "latent"
    assert again.experiment.settings["distance"] == "reconstruction"
    assert [row["path"] for row in again.evaluation.images] == [row["path"] for row in result.evaluation.images]
    change = paired([again], [result], "pixel_ap")
    gap = over_seeds([again], "pixel_ap").value - over_seeds([result], "pixel_ap").value
    assert change.value == pytest.approx(gap)
    same = rejudged(result, result.detector())
    assert same.evaluation.pixel_ap == pytest.approx(result.evaluation.pixel_ap)
    assert same.experiment.method == "autoencoder"
