"""Slips of the hand: a value, an object or a picture that is nearly right is taken, or refused where it is written."""

import io

import numpy as np
import pytest
from PIL import Image

from adkit import AutoencoderDetector, Experiment, PatchCoreDetector, VAEDetector, evaluate, load_dataset, run
from adkit.data.read import read_image
from tests.conftest import TINY


@pytest.mark.parametrize(
    "setting", [{"smoothing": 1e4}, {"batch_size": 10**9}, {"depth": 99}, {"crop": 10**6}, {"surroundings": 1e6}],
)  # fmt: skip
def test_what_would_end_in_want_of_memory_is_refused_where_it_is_written(setting):
    (name,) = setting
    with pytest.raises(ValueError, match=rf"{name} must be at most \d+, got"):
        AutoencoderDetector(**TINY | setting)
    with pytest.raises(ValueError, match=rf"{name} must be at most \d+, got"):
        Experiment(settings=setting)


@pytest.mark.parametrize("seed", ["a", None, 1.5, True, [0], 2**63, 2**70, -(2**63) - 1, float("nan")])
def test_seeds_are_whole_numbers_of_64_bits(fitted, splits, seed):
    for wrong in (
        lambda: AutoencoderDetector(seed=seed),
        lambda: PatchCoreDetector(seed=seed),
        lambda: VAEDetector(seed=seed),
        lambda: Experiment(seed=seed),
        lambda: Experiment(data_seed=seed),
        lambda: load_dataset("textile", seed=seed),
        lambda: load_dataset("folder", "nowhere", seed=seed),
        lambda: evaluate(fitted, splits.test, seed=seed),
    ):
        with pytest.raises(ValueError, match="seed must be a whole number of 64 bits, got"):
            wrong()


@pytest.mark.parametrize("seed", [-1, np.int32(3), np.uint8(3), 2**63 - 1])
def test_seeds_of_any_integer_type_are_taken(seed):
    assert Experiment(seed=seed).seed == int(seed)
    load_dataset("textile", category="denim", image_size=(32, 64), seed=seed)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P", "I;16", "CMYK", "LA"])
def test_pictures_made_in_memory_are_judged_as_their_files(fitted, tmp_path, mode):
    """They never came from a file, so they have no tiles to decode."""
    pixels = np.random.default_rng(0).integers(0, 256, (32, 64), np.uint8)
    picture = Image.fromarray(pixels.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(pixels)
    picture = picture if mode == "I;16" else picture.convert(mode)
    picture.save(tmp_path / "a.tif")
    assert fitted.predict(picture) == fitted.predict(tmp_path / "a.tif")
    with Image.open(tmp_path / "a.tif") as opened:
        assert fitted.predict(opened) == fitted.predict(opened.copy())


@pytest.mark.parametrize("wrong", [None, {}, "textile", AutoencoderDetector, [Experiment()]])
def test_run_takes_an_experiment(wrong):
    with pytest.raises(TypeError, match=r"run takes an Experiment, got a .*: run\(Experiment"):
        run(wrong)


def test_a_file_that_is_cut_off_is_told_from_one_of_another_kind(tmp_path):
    whole = io.BytesIO()
    Image.new("L", (64, 64)).save(whole, "PNG")
    (tmp_path / "cut.png").write_bytes(whole.getvalue()[:40])
    (tmp_path / "page.png").write_bytes(b"<html></html>")
    with pytest.raises(ValueError, match="begins as a PNG file does, and is damaged or cut off"):
        read_image(tmp_path / "cut.png")
    with pytest.raises(ValueError, match=r"begins with b'<html></html', as none of these formats does"):
        read_image(tmp_path / "page.png")
