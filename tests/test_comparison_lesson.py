"""What notebook 11 needs of the library: names of methods, and how often an interval contains the truth."""

from adkit.compare.methods import METHODS
from adkit.course.method_names import NAMES, called
from adkit.course.seed_coverage import WAYS, interval_coverage


def test_every_method_has_a_name_of_its_own_in_figures():
    assert list(NAMES) == list(METHODS)
    assert len(set(NAMES.values())) == len(NAMES)
    assert called("mine") == "mine"


def test_the_interval_of_one_training_misses_the_truth_of_the_mean():
    equal, more = (interval_coverage(ratio=ratio, trials=200, draws=200) for ratio in (3**0.5, 3.0))
    assert tuple(equal) == tuple(more) == WAYS
    middle, whole, fewer = more.values()
    assert middle < 0.75 < whole <= fewer < 0.97
    assert middle < equal[WAYS[0]] < equal[WAYS[2]]


def test_without_an_effect_of_trainings_all_ways_are_about_alike():
    found = interval_coverage(ratio=1e-6, trials=200, draws=200)
    assert max(found.values()) - min(found.values()) < 0.02
    assert min(found.values()) > 0.88
