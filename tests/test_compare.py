"""The comparison: one protocol for all, nothing lost when a method fails or the process is killed, honest tables."""

import json
import os
import re
import sys
from functools import partial

import numpy as np
import pytest
import torch

from adkit import table
from adkit.compare import METHODS, Problem, compare, measure, memory, methods, report
from adkit.compare.__main__ import main
from adkit.compare.comparison import middle
from adkit.compare.memory import highest, peak_memory
from adkit.detectors.autoencoder import AutoencoderDetector
from adkit.detectors.patchcore import PatchCoreDetector
from adkit.experiments import experiment
from adkit.experiments.evaluation import judge
from adkit.metrics import paired_pixel_bootstrap
from tests.comparison_table import missed
from tests.data_files import write_image

TINY = {"width": 4, "steps": 2, "crop": 32}
SMALL = {"category": "denim", "image_size": (32, 64), "device": "cpu", "draws": 20, "quiet": True}
CLI = "--category denim --image-size 32 64 --device cpu --draws 20 --quiet".split()


def known_memory(folder, shape, *_):
    """Stands for the measurement of a process of its own."""
    return 10**7 * shape[0]


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """Three methods that fit in no time, intervals of few draws."""
    monkeypatch.setattr(experiment, "judge", partial(judge, bootstrap=10))
    chosen = {
        "plain": ("autoencoder", TINY | {"skip": "none"}),
        "skip": ("autoencoder", TINY | {"skip": "concat"}),
        "patches": ("patchcore", {"weights": None, "max_patches": 100, "layers": ["blocks.4"]}),
    }
    monkeypatch.setattr(methods, "METHODS", chosen)
    monkeypatch.setattr(memory, "peak_memory", known_memory)  # 4 s each


# -- what is compared ----------------------------------------------------------------------------------------------


def test_every_method_of_the_course_is_a_valid_experiment(monkeypatch):
    monkeypatch.setattr(methods, "METHODS", METHODS)
    names = methods.choose("all")
    assert names[:5] == ["autoencoder", "synthetic", "skip", "loss", "latent"]
    assert names[5:9] == ["vae", "patchcore-own", "patchcore", "draem"]
    assert names[9:] == ["filterbank-train", "filterbank", "patchcore-image", "draem-drift", "latent-drift", "fusion"]
    for fast in "01":
        monkeypatch.setenv("ADKIT_FAST", fast)
        made = {name: methods.experiment(name, seed=2, device="cpu", category="denim") for name in names}
        assert len({one.label for one in made.values()}) == len(names)
        assert {one.seed for one in made.values()} == {2}
        assert {one.category for one in made.values()} == {"denim"}
        assert made["skip"].settings["steps"] == (4 if fast == "1" else 400)
    assert made["patchcore-own"].settings["own"] == {"width": 4, "steps": 4, "crop": 32}
    assert made["patchcore"].settings["max_patches"] == 200


@pytest.mark.parametrize(
    "chosen, arguments, message",
    [
        (["plain", "vea"], {}, "unknown method 'vea'; known: all, or some of plain, skip, patches"),
        ([], {}, "a comparison needs methods, got none; name all, or some of plain"),
        ("plain", {"seeds": 0}, "seeds must be at least 1, or a list of them, got 0; 3 is usual"),
        ("plain", {"seeds": []}, r"seeds must be at least 1, or a list of them, got \[\]"),
        ("plain", {"draws": 1}, "n must be at least 2 draws, got 1"),
        ("plain", {"device": "tpu9"}, "device must be auto, cpu"),
        ("plain", {"dataset": "mvtek"}, "unknown dataset 'mvtek'"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_fitted(chosen, arguments, message, fits):
    with pytest.raises(ValueError, match=message):
        compare(chosen, **SMALL | arguments)
    assert not fits


def test_missing_images_are_no_failure_of_a_method(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        compare("plain", dataset="mvtec", root=tmp_path / "nowhere", quiet=True)


# -- what is found -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_comparison_holds_what_runs_and_metrics_say():
    found = compare("all", seeds=2, **SMALL)
    assert list(found.results) == ["plain", "skip", "patches"]
    assert not found.problems
    runs = found.results["plain"]
    assert [run.experiment.seed for run in runs] == [0, 1]
    assert found.number("plain", "pro").value == pytest.approx(np.mean([run.evaluation.pro for run in runs]))
    assert found.ranking == "pro"
    assert found.best == max(found.results, key=lambda name: table(found.results[name]).rows[0]["pro"]["mean"])

    a = middle(runs)
    paired = found.paired("plain", "skip")
    assert list(paired) == ["image_auroc", "pixel_ap", "pro", "pro_macro"]
    for name, gap in paired.items():
        means = [np.mean([run.evaluation[name] for run in found.results[each]]) for each in ("plain", "skip")]
        assert gap.value == pytest.approx(means[0] - means[1])
        other = found.paired("skip", "plain")[name]
        assert (other.value, other.low, other.high) == pytest.approx((-gap.value, -gap.high, -gap.low))

    cost = found.cost("plain")
    assert cost["fit_seconds"] == np.mean([run.seconds["fit"] for run in runs])
    assert cost["parameters"] == sum(each.numel() for each in a.detector().model.parameters())
    assert cost["saved_bytes"] == sum(file.stat().st_size for file in (a.path / "detector").iterdir())
    assert cost["seconds_per_frame"] > 0
    assert cost["peak_bytes"] == 10**7
    assert 0 < found.cost("patches")["parameters"] < 3_400_000  # cut off behind the layer that is used


@pytest.mark.slow
def test_with_one_seed_the_paired_interval_is_that_over_images():
    found = compare(["plain", "skip"], seeds=1, **SMALL)
    test = found.results["plain"][0].experiment.splits().test
    judged = [found.results[name][0].detector().predict_dataset(test) for name in ("plain", "skip")]
    pixels = paired_pixel_bootstrap(judged[0].masks, *(each.maps for each in judged), n=20)
    for name, expected in {"pixel_ap": pixels["ap"], "pro": pixels["pro"]}.items():
        gap = found.paired("plain", "skip")[name]
        assert (gap.value, gap.low, gap.high) == pytest.approx((expected.value, expected.low, expected.high), abs=1e-9)
    assert found.as_dict()["protocol"]["format"] == 2
    assert "with one seed, no trainings" in report.page(found)


@pytest.mark.slow
def test_peak_memory_is_that_of_a_fresh_process(fitted, tmp_path):
    folder = fitted.save(tmp_path / "detector")
    assert 10**5 < peak_memory(folder, (1, 512, 2048)) < 10**9  # the frame alone has 4 MB


@pytest.mark.slow
def test_a_process_that_fails_says_why(tmp_path):
    with pytest.raises(RuntimeError, match="ended with code 1: FileNotFoundError: no saved detector at"):
        peak_memory(tmp_path / "none", (1, 8, 8))


def test_a_system_that_does_not_tell_its_memory(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "STATUS", tmp_path / "none")
    monkeypatch.setitem(sys.modules, "resource", None)
    assert highest() == 0


@pytest.mark.slow
def test_as_dict_is_plain_and_complete():
    found = compare(["plain", "skip"], seeds=[4], **SMALL)
    stored = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert stored["protocol"] | {"fingerprint": "", "machine": ""} == {
        "dataset": "textile", "category": "denim", "image_size": [32, 64], "channels": None, "tile": None,
        "overlap": None, "data_seed": 0, "frames": {"train": 80, "validation": 40, "test": 100}, "fingerprint": "",
        "seeds": [4], "draws": 20, "format": 2, "fast": False, "machine": "",
    }  # fmt: skip
    assert stored["protocol"]["machine"]["device"] == f"cpu, {torch.get_num_threads()} threads"
    plain = stored["methods"]["plain"]
    assert (plain["method"], plain["settings"], plain["seeds"]) == ("autoencoder", TINY | {"skip": "none"}, [4])
    pro = plain["metrics"]["pro"]
    assert pro["values"] == [pro["mean"]]
    assert pro["low"] <= pro["high"]
    assert plain["metrics"]["tile_auroc"] == {"mean": None, "low": None, "high": None, "values": [None]}
    misses = [(m, n) for m, each in stored["methods"].items() for n in missed(each)]
    assert not misses
    assert {"low", "high"} <= set(plain["metrics"]["pro_macro"])
    assert set(plain["by_kind"]) == {"bright", "dark", "brightness", "texture", "dots"}
    numbers = {"recall", "image_auroc", "pixel_auroc", "pixel_ap", "pro"}
    assert set(plain["by_kind"]["dots"]) == numbers | {"n", "n_regions"}
    dots = plain["by_kind"]["dots"]["pro"]
    assert dots["low"] <= dots["mean"] <= dots["high"]
    assert [set(group) for group in plain["by_size"]] == [{"low", "high", "n_regions", "pro"}] * 3
    (other,) = {"plain", "skip"} - {stored["best"]}
    assert set(stored["paired"]) == {other}
    assert set(stored["paired"][other]["pro"]) == {"value", "low", "high", "p", "p_holm", "shown"}
    assert stored["problems"] == []


def test_what_a_comparison_refuses():
    found = compare("plain", seeds=1, **SMALL)
    with pytest.raises(ValueError, match="no result of vae; there are results of plain"):
        found.paired("plain", "vae")
    with pytest.raises(ValueError, match=r"what must be one of metrics, defect_types, .* got 'colour' and 'pro'"):
        report.table(found, "colour")
    with pytest.raises(ValueError, match=r"metric one of recall, .* got 'defect_types' and 'accuracy'"):
        report.table(found, "defect_types", "accuracy")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of missing masks and few images
def test_sets_without_masks_are_ranked_by_image_auroc(tmp_path):
    for part, count, shift in (("good", 24, 0), ("torn", 6, 500)):
        for i in range(count):
            write_image(tmp_path / part / f"{i:02d}.png", seed=shift + i, size=(32, 32))
    found = compare(["plain", "skip"], seeds=1, dataset="folder", root=tmp_path, device="cpu", quiet=True)
    assert found.ranking == "image_auroc"
    assert list(found.paired("plain", "skip")) == ["image_auroc"]
    assert found.as_dict()["methods"]["plain"]["by_size"] == []
    assert report.table(found).metrics == ("image_auroc", "f1_at_threshold", "f1_oracle")
    page = report.page(found)
    assert "PRO by defect size" not in page
    assert "The best by image_auroc" in page


# -- nothing is lost -----------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.slow
def test_a_killed_comparison_goes_on_where_it_was(monkeypatch, fits):
    whole = PatchCoreDetector._fit

    def die(self, *parts):
        raise Killed

    monkeypatch.setattr(PatchCoreDetector, "_fit", die)
    with pytest.raises(Killed):
        compare("all", seeds=2, **SMALL)
    assert len(fits) == 5
    monkeypatch.setattr(PatchCoreDetector, "_fit", whole)
    found = compare("all", seeds=2, **SMALL)
    assert len(fits) == 7
    assert [len(runs) for runs in found.results.values()] == [2, 2, 2]
    monkeypatch.setattr(measure, "timed_judgement", die)  # nothing is measured twice
    monkeypatch.setattr(experiment, "load_detector", die)  # nor loaded for it
    assert compare("all", seeds=2, **SMALL).as_dict() == found.as_dict()
    assert len(fits) == 7


def test_other_draws_or_other_sources_are_measured_afresh(monkeypatch):
    found = compare("plain", seeds=1, **SMALL)
    assert len(found.results["plain"][0].draws) == 20
    more = compare("plain", seeds=1, **SMALL | {"draws": 30})
    assert len(more.results["plain"][0].draws) == 30
    assert len(compare("plain", seeds=1, **SMALL | {"draws": 5}).results["plain"][0].draws) == 5
    assert more.cost("plain") == found.cost("plain")  # measured once
    monkeypatch.setattr(measure, "count_parameters", lambda detector: 7)
    monkeypatch.setattr(measure, "source_fingerprint", lambda modules: "edited")
    assert compare("plain", seeds=1, **SMALL | {"draws": 30}).cost("plain")["parameters"] == 7


def test_an_edited_metric_measures_no_cost_again(monkeypatch, fits):
    found = compare("plain", seeds=1, **SMALL)
    original = experiment.source_hash
    monkeypatch.setattr(
        experiment, "source_hash", lambda *given: original(*given) + ("" if len(given) == 3 else "edited")
    )
    monkeypatch.setattr(measure, "timed_judgement", lambda *given: 1 / 0)
    again = compare("plain", seeds=1, **SMALL)
    assert again.results["plain"][0].path != found.results["plain"][0].path
    assert (again.cost("plain"), again.problems, len(fits)) == (found.cost("plain"), [], 1)


@pytest.mark.slow
@pytest.mark.parametrize("error", [ModuleNotFoundError("pip install weights"), ConnectionError("no network")])
def test_a_method_that_lacks_something_is_skipped(monkeypatch, fits, error):
    def lacking(self, *parts):
        raise error

    monkeypatch.setattr(PatchCoreDetector, "_fit", lacking)
    found = compare(["patches", "plain"], seeds=2, **SMALL)
    assert found.problems == [Problem("patches", 0, "skipped", str(error))]
    assert len(fits) == 3  # not tried with the second seed
    assert list(found.results) == ["plain"]
    assert f"- patches, seed 0, skipped: {error}" in report.page(found)


@pytest.mark.slow
def test_a_method_that_fails_is_noted_and_its_other_seeds_go_on(monkeypatch):
    whole = AutoencoderDetector._fit

    def sometimes(self, *parts):
        if self.settings["seed"] == 1 and self.settings["skip"] == "concat":
            raise RuntimeError("the loss is NaN")
        whole(self, *parts)

    monkeypatch.setattr(AutoencoderDetector, "_fit", sometimes)
    found = compare(["skip", "plain"], seeds=3, **SMALL)
    assert found.problems == [Problem("skip", 1, "failed", "RuntimeError: the loss is NaN")]
    assert found.as_dict()["methods"]["skip"]["seeds"] == [0, 2]
    assert [row["n"] for row in report.table(found).rows] == [2, 3]


@pytest.mark.slow
def test_a_measurement_that_fails_leaves_the_results(monkeypatch):
    def out_of_memory(*arguments):
        raise MemoryError("no room")

    monkeypatch.setattr(measure, "timed_judgement", out_of_memory)
    found = compare(["plain", "skip"], seeds=1, **SMALL)
    assert [problem.reason for problem in found.problems] == ["MemoryError: no room"] * 2
    assert list(found.paired("plain", "skip")) == ["image_auroc", "pixel_ap", "pro", "pro_macro"]
    assert found.cost("plain")["parameters"] is None
    assert "–" in str(report.table(found, "cost"))


# -- from a shell --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_writes_and_prints(tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["--methods", "plain", "skip", "--seeds", "1", "--out", str(out), *CLI]) == 0
    assert sorted(file.name for file in out.iterdir()) == ["results.json", "table.md"]
    assert json.loads((out / "results.json").read_text())["protocol"]["image_size"] == [32, 64]
    printed = capsys.readouterr().out
    assert printed.startswith((out / "table.md").read_text(encoding="utf-8"))
    assert "# textile, denim: 2 methods, 1 seed\n" in printed
    assert f"written: {out / 'results.json'}" in printed


def test_files_are_written_whole_or_not_at_all(tmp_path, monkeypatch):
    replace = os.replace

    def die_at_the_end(source, target):
        if str(target).endswith("table.md"):
            raise Killed
        replace(source, target)

    monkeypatch.setattr(os, "replace", die_at_the_end)
    with pytest.raises(Killed):
        main(["--methods", "plain", "--seeds", "1", "--out", str(tmp_path / "out"), *CLI])
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["results.json"]


def test_fast_mode_is_told_in_the_page(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ADKIT_FAST", "0")  # and put back as it was
    assert main(["--fast", "--methods", "plain", "--seeds", "1", "--out", str(tmp_path), *CLI]) == 0
    assert "Fast mode" in capsys.readouterr().out
    assert json.loads((tmp_path / "results.json").read_text())["methods"]["plain"]["settings"]["steps"] == 4


def test_no_result_at_all_is_an_error_code(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(AutoencoderDetector, "_fit", lambda self, *parts: 1 / 0)
    assert main(["--methods", "plain", "--seeds", "1", "--out", str(tmp_path), *CLI]) == 1
    assert "plain, seed 0, failed: ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("--methods vea", "unknown method 'vea'; known: all, or some of plain"),
        ("--seeds 0", "seeds must be at least 1"),
        ("--dataset textille", "invalid choice: 'textille'"),
        ("--dataset mvtec --root nowhere", "nowhere"),
        ("--image-size 1 2 3", r"image_size must be a positive number or a pair \(height, width\), got \[1, 2, 3\]"),
    ],
)
def test_wrong_arguments_end_with_a_message(tmp_path, capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        main([*arguments.split(), "--out", str(tmp_path / "out")])
    assert re.search(message, capsys.readouterr().err)


def test_a_place_where_nothing_can_be_written_is_found_out_first(tmp_path, capsys, fits):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "file"), *CLI])
    assert "out must be a folder to write to" in capsys.readouterr().err
    assert not fits


def test_help_names_what_can_be_chosen(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    for name in ("plain, skip, patches", "--image-size", "ADKIT_HOME", "python -m adkit.compare --dataset aitex"):
        assert name in printed
