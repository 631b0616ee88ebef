"""What notebook 10 needs of the library: exercises, two readings of one DRAEM, synthetic defects as a test part."""

import numpy as np
import pytest
import torch

from adkit import Experiment, figures, over_seeds, run
from adkit.course.answers import exercise_of, notebook_10
from adkit.course.checks import problem_of
from adkit.defects import SyntheticDefects
from adkit.experiments import paired
from adkit.experiments.studies.draem_readings import ResidualReading, residual_reading
from adkit.experiments.studies.synthetic_judging import between_types, judged_on_synthetic, synthetic_predictions

TINY = {"width": 4, "segment_width": 4, "depth": 2, "segment_depth": 2, "steps": 2, "crop": 32, "device": "cpu"}
WRONG = {
    "10.1": [
        (lambda image, texture, mask, opacity: image, "too"),
        (lambda image, texture, mask, opacity: torch.where(mask, texture, image), "too"),
        (lambda image, texture, mask, opacity: (1 - opacity) * image + opacity * texture, "too"),
    ],
    "10.4": [
        (
            lambda row, column, centre, length: torch.zeros(len(centre), len(row), len(column)) > 0,
            "are False and should not be",
        ),
        (
            lambda row, column, centre, length: notebook_10.slub(row, column, centre, 2 * length),
            "are True and should not be",
        ),
        (lambda row, column, centre, length: notebook_10.slub(row, column, centre, length)[0], "its shape"),
    ],
    "10.2": [(lambda image, texture: (2 * image - 1, texture), "too high")],
    "10.3": [(0.81, "p²"), (0.1, "exponent"), (0.5, "too high")],
}


@pytest.mark.parametrize("number", notebook_10.EXERCISES)
def test_the_solution_is_right(number):
    exercise, names = exercise_of(f"10.{number}"), {}
    exec(exercise.solution, {"torch": torch}, names)
    (answer,) = [value for name, value in names.items() if name.startswith("my_")]
    assert problem_of(exercise, answer, exercise.answer({})) == ""


@pytest.mark.parametrize(("identifier", "yours", "told"), [(i, *wrong) for i, many in WRONG.items() for wrong in many])
def test_what_people_get_wrong_is_told(identifier, yours, told):
    exercise = exercise_of(identifier)
    assert told in problem_of(exercise, yours, exercise.answer({}))


@pytest.fixture(scope="module")
def result():
    return run(Experiment("draem", TINY, category="denim", image_size=(64, 64)), quiet=True)


def test_the_residual_reading_is_the_residual_of_the_same_reconstruction(result):
    fitted, image = result.detector(), result.experiment.splits().test[0]["image"][None]
    other = ResidualReading.of(fitted).with_settings(smoothing=0.0)
    expected = (image - fitted.reconstruct(image)).abs().mean(1)
    assert torch.allclose(other.anomaly_map(image), expected, atol=1e-6)
    assert type(fitted).__name__ == "DRAEMDetector"


def test_two_readings_are_compared_on_the_same_images(result):
    again = residual_reading(result)
    gap = paired([result], [again], "pro", "texture")
    difference = over_seeds([result], "pro", "texture").value - over_seeds([again], "pro", "texture").value
    assert gap.value == pytest.approx(difference)
    assert again.evaluation.threshold != result.evaluation.threshold


def test_another_method_has_one_reading():
    from adkit import AutoencoderDetector

    with pytest.raises(TypeError, match="a DRAEM has two readings, got a AutoencoderDetector"):
        ResidualReading.of(AutoencoderDetector())


def test_sources_of_synthetic_defects_are_types(result):
    few = result.experiment.splits().validation.subset([0, 1, 2])
    sources = {"stains": SyntheticDefects(["stain"]), "lines": SyntheticDefects(["line"])}
    judged = judged_on_synthetic(result.experiment, few, sources)
    assert set(judged.evaluation.by_kind) == set(sources)
    assert [row["kind"] for row in judged.evaluation.images].count("good") == 3
    gap = between_types([judged], "stains", "lines")
    assert gap.value == pytest.approx(
        judged.evaluation.by_kind["stains"]["pro"] - judged.evaluation.by_kind["lines"]["pro"]
    )
    assert judged.detector().settings == result.detector().settings


def test_the_same_defects_for_every_detector(result):
    few, sources = result.experiment.splits().validation.subset([0]), {"stains": SyntheticDefects(["stain"])}
    one, other = (synthetic_predictions(result.detector(), few, sources) for _ in range(2))
    assert np.array_equal(one.masks[1], other.masks[1])
    assert one.labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match="needs images and sources"):
        synthetic_predictions(result.detector(), few, {})


def test_types_without_draws_are_refused(result):
    with pytest.raises(ValueError, match="no draws of 'pro' of 'stains'"):
        between_types([result], "stains", "dots")


def test_corners_mark_the_maps(result):
    mask = np.zeros((64, 64), bool)
    mask[20:30, 20:30] = True
    row = {"image": np.zeros((64, 64)), "map": np.eye(64)}
    _, axes = figures.magnified({"a": row, "b": row}, [mask, mask], scales={"map": 1.0})
    assert axes.shape == (2, 2)
    assert axes[0, 1].lines
    assert [ax.get_title(loc="left") for ax in axes.ravel()] == ["image", "map", "", ""]
    with pytest.raises(ValueError, match="rows with the same columns"):
        figures.magnified({"a": row}, [])
