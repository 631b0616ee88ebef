"""Methods by name: adkit's, a learner's own in the four places that know methods by name, and the source behind it."""

import linecache
import subprocess
import sys
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

import pytest
import torch

import adkit
from adkit import Experiment, compare, load_detector, run
from adkit.compare import methods
from adkit.detectors import Detector, Settings, registry
from adkit.detectors.registry import detector_class, known_methods, method_name, own_source, register, unregister
from adkit.diagnose import diagnose
from adkit.experiments import experiment as experiment_module
from adkit.experiments.evaluation import judge
from tests import own_method
from tests.own_method import MeanGreyDetector

SMALL = {"category": "denim", "image_size": (32, 64)}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    """Intervals are tested elsewhere."""
    monkeypatch.setattr(experiment_module, "judge", partial(judge, bootstrap=10))


# -- a method of one's own -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_method_outside_the_package_runs_by_its_name_everywhere(splits, tmp_path):
    result = run(Experiment("mean-grey", {"percentile": 90.0, "device": "cpu"}, **SMALL), quiet=True)
    fitted = result.detector()
    assert type(fitted) is MeanGreyDetector
    assert (fitted.settings.percentile, fitted.settings.seed) == (90.0, 0)
    assert result.evaluation.pixel_auroc > 0.5

    compared = compare.compare("mean-grey", seeds=1, draws=20, device="cpu", quiet=True, **SMALL)
    assert not compared.problems
    assert compared.cost("mean-grey")["peak_bytes"] > 0  # another process has imported it

    again = load_detector(fitted.save(tmp_path / "detector"), device="cpu")
    images = torch.stack([splits.test[i]["image"] for i in range(3)])
    assert torch.equal(again.anomaly_map(images), fitted.anomaly_map(images))
    assert (again.settings, again.threshold) == (fitted.settings, fitted.threshold)

    diagnosis = diagnose(again, splits.validation, test=splits.test)
    assert diagnosis["image_auroc"] == pytest.approx(result.evaluation.image_auroc)
    assert diagnosis["variance_ratio"] is None  # it reconstructs nothing
    assert again.reconstruct_images(splits.test.subset([0])) is None


def test_all_stays_the_methods_of_the_course():
    assert methods.choose("all") == list(methods.METHODS)
    assert methods.choose(["all", "mean-grey"]) == [*methods.METHODS, "mean-grey"]
    assert methods.choose("patchcore") == ["patchcore"]
    assert "autoencoder" in methods.comparable()


@pytest.mark.slow
def test_another_process_is_told_to_register_the_method_first(splits, tmp_path):
    folder = MeanGreyDetector(device="cpu").fit(splits.train, splits.validation).save(tmp_path / "detector")
    code = "import sys, adkit; adkit.load_detector(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=False)
    assert "holds a 'MeanGreyDetector', which is not known here" in done.stderr
    assert "known after its @register has run" in done.stderr


# -- the address of its results ------------------------------------------------------------------------------------


def address_of(cls):
    experiment_module.source_hash.cache_clear()
    register("sketch")(cls)
    try:
        return Experiment("sketch", **SMALL).address()
    finally:
        unregister("sketch")


SOURCE = """
from dataclasses import dataclass
from adkit.detectors import Detector, Settings
@dataclass(frozen=True, kw_only=True)
class SketchSettings(Settings):
    power: float = 2.0
class SketchDetector(Detector):
    {note}
    settings_class = SketchSettings
    bright = 1.0
    def _fit(self, train, validation): self.level = 0.5
    def _anomaly_map(self, images): return (images - self.level).abs().mean(dim=1) {operator} self.settings.power
    def _tensors(self): return {{}}
    def _restore(self, tensors): self.level = 0.5
"""


def typed(name, **parts):
    """A class as a notebook knows it: no file, but a source for each cell."""
    source = SOURCE.format(**{"note": "pass", "operator": "**"} | parts)
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space = {"__name__": "no_module"}
    exec(compile(source, name, "exec"), space)
    return space["SketchDetector"]


def test_the_address_changes_with_what_the_method_does():
    first = address_of(typed("cell 1"))
    assert address_of(typed("cell 2", note="# a comment\n    'and a text'")) == first
    assert address_of(typed("cell 3", operator="*")) != first
    assert Experiment("mean-grey", **SMALL).address() != first


def test_a_source_that_cannot_be_read_is_refused():
    cls = typed("cell 4")
    del linecache.cache["cell 4"]
    with pytest.raises(ValueError, match=r"the source of SketchDetector._fit cannot be read .* a notebook cell"):
        own_source(cls)


def test_the_file_of_a_method_counts_whole_and_adkits_methods_have_no_source_of_their_own():
    assert own_source(MeanGreyDetector) == registry.content_hash(Path(own_method.__file__).read_text())
    assert own_source(detector_class("vae")) == ""
    assert registry.source_modules(MeanGreyDetector) == ["adkit.detectors.base", "adkit.detectors.judging"]


# -- names ---------------------------------------------------------------------------------------------------------


def test_every_method_of_adkit_is_known_by_its_name_and_that_of_its_class():
    assert known_methods()[:6] == ["autoencoder", "latent", "vae", "patchcore", "draem", "filterbank"]
    for name, (module, class_name) in registry.BUILT_IN.items():
        cls = detector_class(name)
        assert cls is detector_class(class_name) is getattr(adkit, class_name, cls)
        assert (cls.__module__, method_name(cls)) == (module, name)
        assert issubclass(cls.settings_class, Settings)
    assert method_name(MeanGreyDetector) == "mean-grey"


def test_the_registry_imports_no_method():
    code = "import sys, adkit.detectors.registry; print([m for m in sys.modules if m.startswith('adkit.detectors.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['adkit.detectors.settings', 'adkit.detectors.registry']"


def test_unknown_methods_are_refused_with_the_closest_name():
    with pytest.raises(ValueError, match=r"got 'patchcor'; did you mean 'patchcore'.* @register has run"):
        detector_class("patchcor")

    class NobodyDetector(MeanGreyDetector):
        pass

    with pytest.raises(ValueError, match="NobodyDetector is no registered method; put @register"):
        method_name(NobodyDetector)


def test_what_cannot_be_registered_is_refused():
    for name, message in {"vae": "is a method of adkit; choose another", "a b": "must consist of letters"}.items():
        with pytest.raises(ValueError, match=message):
            register(name)
    with pytest.raises(TypeError, match="belongs above a class of detectors"):
        register("thing")(dict)
    with pytest.raises(ValueError, match="another method has a class MeanGreyDetector"):
        register("grey-too")(MeanGreyDetector)
    assert register("mean-grey")(MeanGreyDetector) is MeanGreyDetector  # a cell that runs again
    with pytest.raises(ValueError, match="another method has a class VAEDetector"):
        register("mine")(type("VAEDetector", (MeanGreyDetector,), {}))
    assert known_methods()[len(registry.BUILT_IN) :] == ["mean-grey"]


def test_settings_of_ones_own_are_checked_and_shown():
    @dataclass(frozen=True, kw_only=True)
    class PowerSettings(Settings):
        power: float = 2.0

    class PowerDetector(MeanGreyDetector):
        settings_class = PowerSettings

    assert [f.name for f in fields(PowerDetector().settings)][-1] == "power"
    assert str(PowerDetector.__signature__).startswith("(*, power: float = 2.0, percentile")
    with pytest.raises(
        TypeError, match=r"unknown setting 'powr' for PowerDetector; did you mean 'power'. known: .*seed"
    ):
        PowerDetector(powr=1)
    assert isinstance(PowerDetector(power=1), Detector)
