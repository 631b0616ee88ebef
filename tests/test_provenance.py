"""What a source fingerprint sees, and what it does not: another operator counts, a comment or a move does not."""

from pathlib import Path

from adkit.data.load import NAMES, function_of, reader_module
from adkit.detectors.autoencoder import AutoencoderDetector
from adkit.experiments.screening import TypeClassifier
from adkit.experiments.sources import source_hash
from adkit.runtime import provenance


def address():
    return source_hash.__wrapped__(AutoencoderDetector, "textile")


def edit(path: Path, old: str, new: str):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_comment_and_a_docstring_change_nothing(package):
    before = address()
    for path in package.rglob("*.py"):
        path.write_text(path.read_text() + "# a comment\n")
    edit(package / "losses/pixel.py", "Losses that compare", "Said in another way: losses that compare")
    assert address() == before


def test_a_file_moved_with_all_its_importers_changes_nothing(package):
    before = address()
    (package / "losses/window.py").rename(package / "losses/blurring.py")
    for path in package.rglob("*.py"):
        path.write_text(path.read_text().replace("adkit.losses.window", "adkit.losses.blurring"))
    assert address() == before


def test_one_operator_in_a_loss_changes_the_address(package):
    before = address()
    edit(package / "losses/pixel.py", "x - y", "x + y")
    assert address() != before


def test_what_a_result_cannot_depend_on_does_not_count(package):
    before = address()
    for name in ("data/aitex.py", "data/mvtec.py", "detectors/vae.py", "figures/style.py", "runtime/progress.py"):
        path = package / name
        path.write_text(path.read_text() + "\nANSWER = 42\n")
    assert address() == before
    path = package / "data/crops.py"
    path.write_text(path.read_text() + "\nANSWER = 42\n")
    assert address() != before


def test_a_result_depends_on_the_reader_of_its_own_set_alone():
    for name in NAMES:
        modules = provenance.imported_modules(["adkit.data.load", reader_module(name)])
        assert {reader_module(other) for other in NAMES} & set(modules) == {reader_module(name)}
        assert callable(function_of(name))


def test_each_kind_of_result_counts_only_what_it_can_depend_on(package):
    def fitted():
        classifier = provenance.source_fingerprint(provenance.imported_modules([TypeClassifier.__module__]))
        return source_hash.__wrapped__(AutoencoderDetector, rooms=()), classifier

    before, run = fitted(), address()
    for name in ("experiments/evaluation.py", "experiments/cache.py", "metrics/curves.py", "runtime/lock.py"):
        path = package / name
        path.write_text(path.read_text() + "\nANSWER = 42\n")
    assert fitted()[1] == before[1]
    assert address() != run  # an evaluation was run
    edit(package / "data/dataset.py", "class AnomalyDataset", "ANSWER = 42\n\n\nclass AnomalyDataset")
    assert all(new != old for new, old in zip(fitted(), before, strict=True))


def test_how_results_are_kept_does_not_count(package):
    before = address()
    for name in ("experiments/cache.py", "experiments/experiment.py", "runtime/lock.py", "runtime/serialization.py"):
        path = package / name
        path.write_text(path.read_text() + "\nANSWER = 42\n")
    assert address() == before


def test_another_package_under_the_same_name_counts():
    assert provenance.content_hash("from numpy import fft") != provenance.content_hash("from scipy import fft")
    assert provenance.content_hash("import numpy\nimport scipy") == provenance.content_hash(
        "import scipy\nimport numpy"
    )
    assert provenance.content_hash("from adkit.losses import l1") == provenance.content_hash("")


def test_imports_for_type_checkers_alone_are_not_followed(package):
    (package / "odd.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from adkit.data.aitex import read_aitex\n"
    )
    assert provenance.imported_modules(["adkit.odd"]) == ["adkit.odd"]
