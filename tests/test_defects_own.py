"""A defect of the learner's own by name: in settings, on disk, in results that are kept; and every refusal."""

import json

import pytest
import torch

from adkit import AutoencoderDetector, DRAEMDetector, Experiment, load_detector
from adkit.defects import (
    DEFECT_TYPES,
    Stain,
    SyntheticDefects,
    build_defects,
    known_defects,
    register_defect,
    registry,
    unregister_defect,
)
from adkit.defects.registry import own_defects_source, unknown_defects_allowed
from adkit.experiments.fitted import detector_key
from tests.conftest import TINY

DRAEM = TINY | {"segment_width": 4, "defects": ["perlin", "scratch"]}


def scratch(images, sampler):
    """A thin pale line from edge to edge."""
    rows = sampler.centres()[:, :1, None]
    inside = (sampler.grid[0] - rows).abs().expand(-1, *sampler.shape) < 1.5
    return images + 0.4, inside


@pytest.fixture
def own():
    register_defect("scratch")(scratch)
    yield
    unregister_defect("scratch")


def test_a_name_works_wherever_one_of_adkits_does(own):
    assert known_defects() == [*DEFECT_TYPES, "scratch"]
    for spec in ("scratch", ["scratch"], {"defect_types": ["scratch"]}, {"kinds": ["scratch", "stain"]}):
        assert "scratch" in build_defects(spec).defect_types
    assert SyntheticDefects(["stain", "scratch"]).defect_types == ("stain", "scratch")
    assert build_defects("all").defect_types == tuple(DEFECT_TYPES)  # adkit's ten, whatever is registered


def test_what_it_returns_is_checked_as_of_any_callable(own):
    images = torch.full((4, 1, 32, 32), 0.5)
    corrupted, mask, _ = build_defects({"defect_types": ["scratch"], "clean": 0.0})(images)
    assert mask.any(dim=(1, 2)).all()
    assert torch.equal(corrupted[:, 0][~mask], images[:, 0][~mask])
    register_defect("scratch")(lambda images, sampler: (images[:1], None))
    with pytest.raises(ValueError, match="scratch"):
        build_defects(["scratch"])(images)


def test_draem_learns_from_it_and_judges_where_nobody_has_registered_it(own, splits, tmp_path):
    detector = DRAEMDetector(**DRAEM).fit(splits.train, splits.validation)
    image = splits.test[0]["image"]
    expected = detector.predict(image)
    detector.save(tmp_path / "detector")
    unregister_defect("scratch")
    loaded = load_detector(tmp_path / "detector", device="cpu")
    assert loaded.predict(image) == expected
    assert loaded.at_percentile(90).predict(image).score == expected.score
    with pytest.raises(ValueError, match="scratch"):
        DRAEMDetector(**DRAEM)
    with pytest.raises(ValueError, match="scratch"):
        loaded.fresh()
    register_defect("scratch")(scratch)
    assert loaded.fresh(steps=2).fit(splits.train, splits.validation).is_fitted


def test_a_defect_that_is_only_a_name_cannot_draw():
    with unknown_defects_allowed():
        defects = build_defects({"defect_types": ["gone"], "clean": 0.0})
    with pytest.raises(RuntimeError, match="the defect 'gone' is not known here; run the cell"):
        defects(torch.rand(2, 1, 32, 32))
    with pytest.raises(ValueError, match="gone"):
        build_defects(["gone"])
    with pytest.raises(ValueError, match="unknown defects 'gone'; known: all"):
        build_defects("gone")


def test_an_edited_defect_is_another_training_and_one_that_is_not_used_is_none(own, splits):
    images = splits.train.subset([0, 1]), splits.validation.subset([0, 1])
    keys = [detector_key(AutoencoderDetector(**TINY, defects=["scratch"]), *images, "abc")]
    plain = detector_key(AutoencoderDetector(**TINY, defects=["stain"]), *images, "abc")
    assert json.loads(json.dumps(plain))["sources"] == "abc"
    experiment = Experiment("autoencoder", TINY | {"defects": {"defect_types": ["scratch"]}}, image_size=(32, 64))
    first = experiment.address()

    @register_defect("scratch")
    def wider(images, sampler):
        rows = sampler.centres()[:, :1, None]
        return images + 0.4, (sampler.grid[0] - rows).abs().expand(-1, *sampler.shape) < 4

    keys.append(detector_key(AutoencoderDetector(**TINY, defects=["scratch"]), *images, "abc"))
    assert keys[0] != keys[1]
    assert experiment.address() != first
    register_defect("scratch")(scratch)
    assert experiment.address() == first
    assert own_defects_source(["stain"]) == ""


def test_a_comment_is_no_edit_and_a_setting_is_one(own):
    before = own_defects_source(["scratch"])
    register_defect("scratch")(scratch)
    assert own_defects_source() == before
    hashes = set()
    for edge in (0.2, 0.8):
        register_defect("scratch")(Stain(edge=edge))
        hashes.add(own_defects_source())
    assert len(hashes | {before}) == 3


def test_a_defect_without_a_source_is_refused_where_results_are_kept(own):
    namespace = {}
    exec("def typed(images, sampler):\n    return images, None", namespace)  # as in a plain Python prompt
    register_defect("scratch")(namespace["typed"])
    with pytest.raises(ValueError, match="the source of the defect 'scratch' cannot be read"):
        own_defects_source()


@pytest.mark.parametrize("name", ["", "two words", "1st", 5, None])
def test_a_name_must_be_a_name(name):
    with pytest.raises(ValueError, match="letters, digits and _"):
        register_defect(name)


def test_names_of_adkit_and_what_is_no_defect_are_refused():
    for name in ("stain", "all", "recommended"):
        with pytest.raises(ValueError, match="is a name of adkit's own; choose another one"):
            register_defect(name)
    for wrong in (Stain, 5):
        with pytest.raises(TypeError, match="belongs above a function"):
            register_defect("mine")(wrong)
    unregister_defect("never_there")
    assert "mine" not in registry._own
