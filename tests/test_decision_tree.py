"""The decision tree: it ends at the causes that a diagnosis knows, answers itself from one, and walks by buttons."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adkit.course import tree_explorer as tree_explorer_module
from adkit.course.tree_explorer import tree_explorer
from adkit.diagnose import diagnose
from adkit.diagnose.decision_tree import HEALTHY, TREE, Leaf, Question, follow, leaves, walk
from adkit.diagnose.diagnosis import Diagnosis, find
from adkit.diagnose.evidence import gather
from adkit.diagnose.fault_injection import FAULTS
from adkit.diagnose.readings import ABOVE, BELOW, Limits, Reading
from adkit.diagnose.root_causes import NOT_ASSESSED, PRESENT, ROOT_CAUSES, SYMPTOMS, UNEXPLAINED, likely_causes

NEEDS_TEST = ("f1", "precision", "recall", "image_auroc", "pixel_auroc", "better_score", "better_smoothing")
KEYS = sorted(
    {key for cause in ROOT_CAUSES.values() for rule in cause.rules for c in rule.yes + rule.no for key in c.readings}
    | {key for cause in ROOT_CAUSES.values() for key in cause.shown_by}
    | {key for symptom in SYMPTOMS.values() for key in symptom.condition.readings}
)


def readings(tripped, unknown=()):
    """Evidence in which the named readings lie on the wrong side of their limit, and some could not be taken."""
    evidence = {key: Reading(key, float(key in tripped), 0.5, ABOVE) for key in KEYS}
    evidence["image_auroc"] = Reading("image_auroc", 0.6 if "image_auroc" in tripped else 0.9, 0.64, BELOW)
    return evidence | {key: Reading(key, None, 0.5, ABOVE) for key in unknown}


def first_causes(evidence):
    """What the diagnosis names first, where the tree ends, and all findings."""
    with_test = any(evidence[key].value is not None for key in NEEDS_TEST)
    symptoms = {number: symptom.state(evidence, with_test) for number, symptom in SYMPTOMS.items()}
    diagnosis = Diagnosis(find(evidence, symptoms), symptoms, evidence, Limits(), None)
    return diagnosis.cause, walk(diagnosis)[0].cause, diagnosis


@pytest.fixture
def buttons(monkeypatch):
    for name in ("ADKIT_FAST", "ADKIT_HEADLESS"):
        monkeypatch.delenv(name, raising=False)
    return tree_explorer()


def questions(node=TREE):
    return [] if isinstance(node, Leaf) else [node, *questions(node.yes), *questions(node.no)]


def test_every_leaf_names_a_known_cause_and_every_cause_is_reached():
    ends = list(leaves())
    assert {leaf.cause for leaf in ends} == {*ROOT_CAUSES, HEALTHY, UNEXPLAINED}
    assert all(leaf.text and leaf.action for leaf in ends)
    actions = {cause.actions[0] for cause in ROOT_CAUSES.values()}
    assert {leaf.action for leaf in ends if leaf.cause in ROOT_CAUSES} == actions


def test_faults_root_causes_and_symptoms_know_one_another():
    assert set(FAULTS) == set(ROOT_CAUSES)
    for number in SYMPTOMS:
        names = likely_causes(number)
        assert names
        assert {name for name, cause in ROOT_CAUSES.items() if number in cause.explains} == set(names)
        assert [ROOT_CAUSES[name].explains[number] for name in names] == list(range(1, len(names) + 1))
    assert likely_causes(3) == ["stretched_maps", "foreign_threshold", "low_percentile", "untrained", "collapse"]


def test_questions_ask_for_readings_that_a_diagnosis_takes(splits, fitted):
    evidence, _ = gather(fitted, splits.validation, None, splits.test, Limits())
    asked = {key for question in questions() for key in question.readings}
    assert asked <= set(evidence)
    assert set(KEYS) <= set(evidence)


def test_no_question_is_asked_twice_on_a_way():
    def ways(node, way=()):
        if isinstance(node, Leaf):
            return [way]
        return [*ways(node.yes, (*way, node.text)), *ways(node.no, (*way, node.text))]

    assert all(len(set(way)) == len(way) for way in ways(TREE))


@pytest.mark.parametrize("tripped, cause", [
    ((), HEALTHY),
    (("noise",), "no_kl"),
    (("variance_ratio", "active_units"), "collapse"),
    (("variance_ratio", "active_units", "steps"), "untrained"),
    (("threshold_over_normals",), "contaminated"),
    (("threshold_over_normals", "raw_threshold"), "other_unit"),
    (("image_auroc",), UNEXPLAINED),
    (("pixel_auroc", "shift_gain"), "misaligned"),
    # readings on which diagnosis and tree once disagreed; most were unexplained
    (("variance_ratio",), "untrained"),
    (("active_units",), "collapse"),
    (("mutual_information",), "collapse"),
    (("mutual_information", "plateau"), "untrained"),
    (("variance_ratio", "gain_over_mean", "active_units"), "untrained"),
    (("variance_ratio", "gain_over_mean", "active_units", "kl_per_dimension"), "collapse"),
    (("better_score", "image_auroc", "shift_gain"), "mean_score"),
    (("f1",), UNEXPLAINED),
    # precision alone says nothing: with it there are labelled images, and they deny symptoms 1 and 6
    (("raw_threshold", "threshold_over_normals", "flagged_normals", "precision"), "low_percentile"),
    (("retention",), "copies"),
    (("retention", "precision"), HEALTHY),
])  # fmt: skip
def test_numbers_answer_the_questions(tripped, cause):
    labelled = set(NEEDS_TEST) & set(tripped)
    evidence = readings(tripped, unknown=() if labelled else NEEDS_TEST)
    leaf, answers = walk(SimpleNamespace(evidence=evidence))
    assert leaf.cause == cause
    assert follow(answers)[-1] is leaf
    assert first_causes(evidence)[:2] == (cause, cause)


@pytest.mark.parametrize("unknown", [(), NEEDS_TEST])
@pytest.mark.parametrize("key", KEYS)
def test_one_reading_alone_leads_both_ways_to_one_cause(key, unknown):
    by_diagnosis, by_tree, _ = first_causes(readings([key], set(unknown) - {key}))
    assert by_diagnosis == by_tree


@given(st.fixed_dictionaries({key: st.sampled_from((0.0, 1.0, None)) for key in KEYS}))
def test_diagnosis_and_tree_name_the_same_first_cause_whatever_the_readings(values):
    evidence = {key: Reading(key, value, 0.5, ABOVE) for key, value in values.items()}
    by_diagnosis, by_tree, diagnosis = first_causes(evidence)
    assert by_diagnosis == by_tree
    assert (by_diagnosis == HEALTHY) == (not diagnosis.findings)


def test_many_random_readings_agree_and_each_finding_has_a_symptom():
    rng, met = np.random.default_rng(0), set()
    for _ in range(5000):
        share = rng.random()
        evidence = readings([key for key in KEYS if rng.random() < share])
        by_diagnosis, by_tree, diagnosis = first_causes(evidence)
        assert by_diagnosis == by_tree
        met.add(by_tree)
        for finding in diagnosis.findings:
            assert finding.symptoms
        unexplained = [f.symptoms[0][0] for f in diagnosis.findings if f.cause == UNEXPLAINED]
        assert set(unexplained) <= {1, 6}  # all others have a cause that the playbook names
    assert met == {*ROOT_CAUSES, HEALTHY, UNEXPLAINED}


def test_without_labelled_images_a_cause_may_explain_what_was_not_assessed():
    evidence = readings(["retention"], unknown=NEEDS_TEST)
    _, _, diagnosis = first_causes(evidence)
    (finding,) = diagnosis.findings
    assert finding.symptoms == ()
    assert {state for number, state in diagnosis.symptoms.items() if number in (1, 6)} == {NOT_ASSESSED}
    assert PRESENT not in diagnosis.symptoms.values()


def test_an_untrained_network_ends_at_its_leaf(splits, fitted):
    assert walk(diagnose(fitted, splits.validation))[0].cause == "untrained"


@pytest.mark.slow
def test_buttons_walk_the_tree(buttons):
    assert TREE.text in buttons.message.value
    assert set(buttons.buttons) == {"Yes", "No", "Back", "Restart"}
    before = buttons.picture.value
    buttons.buttons["Yes"].click()
    assert buttons.picture.value != before
    assert TREE.yes.text in buttons.message.value
    buttons.buttons["Yes"].click()
    assert ROOT_CAUSES["untrained"].title in buttons.message.value
    assert ROOT_CAUSES["untrained"].actions[0] in buttons.message.value
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
