"""The decision tree: it ends at the causes that a diagnosis knows, answers itself from one, and walks by buttons."""

from types import SimpleNamespace

import pytest

from adkit.course import tree_explorer as tree_explorer_module
from adkit.course.tree_explorer import tree_explorer
from adkit.diagnose import diagnose
from adkit.diagnose.decision_tree import HEALTHY, TREE, UNEXPLAINED, Leaf, Question, follow, leaves, walk
from adkit.diagnose.evidence import gather
from adkit.diagnose.fault_injection import CAUSES
from adkit.diagnose.readings import Limits, Reading
from adkit.diagnose.root_causes import LIKELY, ROOTS, SYMPTOMS


@pytest.fixture
def buttons(monkeypatch):
    for name in ("ADKIT_FAST", "ADKIT_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    return tree_explorer()


def questions(node=TREE):
    return [] if isinstance(node, Leaf) else [node, *questions(node.yes), *questions(node.no)]


def test_every_leaf_names_a_known_cause_and_every_cause_is_reached():
    ends = list(leaves())
    assert {leaf.cause for leaf in ends} == {*ROOTS, HEALTHY, UNEXPLAINED}
    assert all(leaf.text and leaf.action for leaf in ends)
    assert {leaf.action for leaf in ends if leaf.cause in ROOTS} == {root.actions[0] for root in ROOTS.values()}


def test_causes_roots_and_symptoms_know_one_another():
    assert set(CAUSES) == set(ROOTS)
    assert set(LIKELY) == set(SYMPTOMS)
    for number, names in LIKELY.items():
        assert all(number in ROOTS[name].explains for name in names)
    for name, root in ROOTS.items():
        assert all(name in LIKELY[number] for number in root.explains)


def test_questions_ask_for_readings_that_a_diagnosis_takes(splits, fitted):
    evidence, _ = gather(fitted, splits.validation, None, splits.test, Limits())
    asked = {key for question in questions() for key in question.readings}
    assert asked <= set(evidence)
    assert {key for root in ROOTS.values() for key in root.shown_by} <= set(evidence)
    assert {key for symptom in SYMPTOMS.values() for key in symptom.shown_by} <= set(evidence)


@pytest.mark.parametrize("tripped, cause", [
    ((), HEALTHY),
    (("noise",), "no_kl"),
    (("variance_ratio", "active_units"), "collapse"),
    (("variance_ratio", "active_units", "steps"), "untrained"),
    (("threshold_over_normals",), "contaminated"),
    (("threshold_over_normals", "raw_threshold"), "other_unit"),
    (("image_auroc",), UNEXPLAINED),
    (("pixel_auroc", "shift_gain"), "misaligned"),
])  # fmt: skip
def test_numbers_answer_the_questions(tripped, cause):
    keys = {key for question in questions() for key in question.readings}
    evidence = {key: Reading(key, float(key in tripped), 0.5, "above") for key in keys}
    leaf, answers = walk(SimpleNamespace(evidence=evidence))
    assert leaf.cause == cause
    assert follow(answers)[-1] is leaf


def test_an_untrained_network_ends_at_its_leaf(splits, fitted):
    assert walk(diagnose(fitted, splits.validation))[0].cause == "untrained"


def test_buttons_walk_the_tree(buttons):
    assert TREE.text in buttons.message.value
    assert set(buttons.buttons) == {"Yes", "No", "Back", "Restart"}
    before = buttons.picture.value
    buttons.buttons["Yes"].click()
    assert buttons.picture.value != before
    assert TREE.yes.text in buttons.message.value
    buttons.buttons["Yes"].click()
    assert ROOTS["untrained"].title in buttons.message.value
    assert ROOTS["untrained"].actions[0] in buttons.message.value
    assert buttons.buttons["Yes"].disabled
    buttons.press("No")  # at a leaf there is nothing to answer
    assert buttons.answers == [True, True]
    buttons.buttons["Back"].click()
    assert buttons.answers == [True]
    assert not buttons.buttons["Yes"].disabled
    buttons.buttons["Restart"].click()
    assert buttons.answers == []
    assert buttons.picture.value == before


@pytest.mark.parametrize("flag", ["ADKIT_FAST", "ADKIT_HEADLESS", None])
def test_headless_there_is_the_drawing_alone(flag, monkeypatch):
    if flag:
        monkeypatch.setenv(flag, "1")
    monkeypatch.setattr(tree_explorer_module, "import_ipywidgets", lambda: pytest.fail("no widget is wanted here"))
    made = tree_explorer(answers=[True, True], interactive=flag is not None)
    assert made.widget is None
    assert made.buttons == {}
    assert made.static.png().startswith(b"\x89PNG")


def test_too_many_answers_are_refused():
    with pytest.raises(ValueError, match="answers more questions than the way to 'untrained' has"):
        tree_explorer(answers=[True, True, True], interactive=False)


def test_a_tree_of_ones_own():
    own = Question("Is it?", ("noise",), yes=Leaf("no_kl"), no=Leaf(HEALTHY))
    assert [leaf.cause for leaf in leaves(own)] == ["no_kl", HEALTHY]
    assert tree_explorer(own, [True], interactive=False).static.png().startswith(b"\x89PNG")
