"""The playbook: each cause, induced on a seed and fabric that set no limit, comes first; healthy runs give nothing.

The networks are small and the frames few, so that this takes half a minute; ``python -m tests.diagnosis_matrix`` does
the same at the size of the course.
"""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from adkit import load_dataset
from adkit.detectors.registry import detector_class
from adkit.diagnose import Limits, diagnose
from adkit.diagnose.fault_injection import FAULTS, HEALTHY, RECIPES, with_cached_reconstruction
from adkit.diagnose.root_causes import ROOT_CAUSES, SYMPTOMS, UNEXPLAINED
from tests.diagnosis_matrix import MATRIX, problem

SMALL = {
    "vae": {"widths": [8, 16, 32], "latent_dim": 32, "steps": 150, "smoothing": 4.0},
    "autoencoder": {"width": 8, "steps": 150, "crop": 32, "batch_size": 16},
}
RECIPE = {method: RECIPES[method] | small | {"seed": 5, "quiet": True} for method, small in SMALL.items()}
SHORTER = {"collapse": {"steps": 80, "batch_size": 16}, "no_kl": {"batch_size": 16}}  # they need no more
NEED_TEST = {*HEALTHY, *(name for name, expected in MATRIX.items() if {1, 6} & set(expected["shows"]))}


@pytest.fixture(scope="module")
def parts():
    """A few full frames of calico, with the defects that so small a network can see."""
    whole = load_dataset("textile", category="calico")
    kinds = np.array(whole.test.kinds)
    seen = [*np.flatnonzero(kinds == "good")[:20], *np.flatnonzero(np.isin(kinds, ("bright", "dark", "dots")))[:24]]
    return SimpleNamespace(
        train=whole.train.subset(range(24)), validation=whole.validation.subset(range(20)), test=whole.test.subset(seen)
    )


@pytest.fixture(scope="module")
def healthy(parts):
    """The healthy detectors by name, trained when they are first asked for."""
    trained = {}

    def get(name):
        if name not in trained:
            method, changes = HEALTHY[name]
            trained[name] = with_cached_reconstruction(
                detector_class(method)(**(RECIPE[method] | changes)).fit(parts.train, parts.validation)
            )
        return trained[name]

    return get


@pytest.fixture(scope="module")
def diagnosed(parts, healthy):
    """The diagnosis of a healthy run or of an induced cause, by name."""
    known = {}

    def get(name):
        if name not in known:
            if name in FAULTS:
                fault = FAULTS[name]
                sound = None if fault.needs_training else healthy("VAE")
                detector = fault.induce(parts, RECIPE[fault.method] | SHORTER.get(name, {}), sound)
            else:
                detector = healthy(name)
            known[name] = diagnose(detector, parts.validation, test=parts.test if name in NEED_TEST else None)
        return known[name]

    return get


@pytest.mark.slow
@pytest.mark.parametrize("name", [*HEALTHY, *FAULTS])
def test_the_induced_cause_comes_first_and_healthy_runs_give_none(diagnosed, name):
    assert problem(name, diagnosed(name)) == ""


def test_the_matrix_knows_every_cause_and_only_symptoms_that_its_root_explains():
    assert set(MATRIX) == set(FAULTS) == set(ROOT_CAUSES)
    for name, expected in MATRIX.items():
        assert expected["shows"], name
        assert {*expected["shows"], *expected["may show"]} <= set(ROOT_CAUSES[name].explains), name
    assert {number for expected in MATRIX.values() for number in expected["shows"]} == set(SYMPTOMS)


@pytest.mark.slow
def test_collapse_is_one_finding_with_all_its_symptoms(diagnosed):
    diagnosis = diagnosed("collapse")
    (finding,) = diagnosis.findings
    assert {number for number, _ in finding.symptoms} == set(diagnosis.present) >= {2, 4}
    assert finding.likely[0] == ("collapse", "its signs are there")
    assert ("untrained", "its signs are missing") in finding.likely
    assert all(reading.value is not None for reading in finding.evidence)


@pytest.mark.slow
def test_two_faults_are_two_findings_in_the_order_of_the_pipeline(parts, healthy):
    faulty = FAULTS["other_unit"].inject(FAULTS["misaligned"].inject(healthy("VAE"), parts), parts)
    assert diagnose(faulty, parts.validation, test=parts.test).causes == ["misaligned", "other_unit"]


@pytest.mark.slow
def test_without_a_test_part_two_symptoms_are_not_assessed(parts, healthy):
    diagnosis = diagnose(healthy("VAE"), parts.validation)
    assert {number for number, state in diagnosis.symptoms.items() if state == "not assessed"} == {1, 6}
    assert diagnosis.findings == ()
    assert diagnosis.cause == "healthy"
    assert diagnosis["image_auroc"] is None
    assert "not assessed: nothing found, ROC stuck (needs test)" in str(diagnosis)


@pytest.mark.slow
def test_an_autoencoder_has_no_latent_symptoms(diagnosed):
    diagnosis = diagnosed("U-Net")
    assert diagnosis.symptoms[4] == diagnosis.symptoms[5] == "not applicable"
    assert diagnosis.evidence["noise"].note == "no latent Gaussians"


@pytest.mark.slow
def test_a_symptom_that_no_cause_explains_is_said_to_be_so(parts, healthy):
    strict = replace(Limits(), auroc=1.1)
    diagnosis = diagnose(healthy("VAE"), parts.validation, test=parts.test, limits=strict)
    assert diagnosis.causes == [UNEXPLAINED]
    assert diagnosis.findings[0].symptoms == ((6, SYMPTOMS[6].name),)
    assert {verdict for _, verdict in diagnosis.findings[0].likely} <= {"its signs are missing", "not assessed"}


@pytest.mark.slow
def test_the_card_reads_the_same_as_text_and_as_html(diagnosed):
    diagnosis = diagnosed("other_unit")
    text, page = str(diagnosis), diagnosis._repr_html_()
    assert repr(diagnosis) == text
    for word in (ROOT_CAUSES["other_unit"].title, SYMPTOMS[1].name, ROOT_CAUSES["other_unit"].actions[0]):
        assert word in text
        assert word in page
    assert "<details>" in page
    assert "no finding" in str(diagnosed("VAE, no annealing"))
    assert "no finding" in diagnosed("VAE, no annealing")._repr_html_()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["collapse", "U-Net"])
def test_plain_data_go_through_json(diagnosed, name):
    plain = diagnosed(name).as_dict()
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert [state["number"] for state in again["symptoms"]] == [1, 2, 3, 4, 5, 6]
    assert [finding["cause"] for finding in again["findings"]] == diagnosed(name).causes
    assert {"name", "value", "limit", "alarm", "note", "exceeds_limit"} == set(again["evidence"]["f1"])
    assert again["limits"]["active_units"] == Limits().active_units
    if name == "collapse":
        assert again["findings"][0]["symptoms"][0] == {"number": 2, "name": SYMPTOMS[2].name}
        assert len(again["per_dimension"]["kl"]) == 32


@pytest.mark.slow
def test_a_diagnosis_without_arrays_keeps_its_readings_alone(diagnosed):
    bare = diagnosed("collapse").without_arrays()
    assert (bare.causes, bare.evidence) == (diagnosed("collapse").causes, diagnosed("collapse").evidence)
    assert bare.as_dict()["per_dimension"] == {}
    assert str(bare) == str(diagnosed("collapse"))
    with pytest.raises(ValueError, match=r"call figure\(\) before without_arrays\(\)"):
        bare.figure()
