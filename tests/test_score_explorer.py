"""The movable threshold: rates against a count by hand, and a slider that redraws the figure."""

import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from adkit.course.explorers import rates, score_explorer

NORMAL, DEFECTIVE = [0.1, 0.2, 0.5, 0.3], [0.15, 0.6, 0.45]


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.45, 0.5, 9.0])
def test_rates_agree_with_scikit_learn(threshold):
    truth, flagged = [0] * 4 + [1] * 3, [score >= threshold for score in NORMAL + DEFECTIVE]
    found = rates(NORMAL, DEFECTIVE, threshold)
    expected = [score(truth, flagged, zero_division=0) for score in (recall_score, precision_score, f1_score)]
    assert [found["recall"], found["precision"], found["F1"]] == pytest.approx(expected)
    assert found["false positive rate"] == sum(flagged[:4]) / 4


def test_a_moved_threshold_redraws(monkeypatch):
    for name in ("ADKIT_FAST", "ADKIT_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    made = score_explorer(NORMAL, DEFECTIVE, 0.4)
    before = made.picture.value
    made.sliders["threshold"].value = 0.2
    assert made.picture.value != before
    assert made.message.value == ""


def test_scores_of_both_groups_are_needed():
    with pytest.raises(ValueError, match="got 4 normal and 0 defective"):
        score_explorer(NORMAL, [], 0.4)
