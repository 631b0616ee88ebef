"""Exported detectors: the same maps, scores and verdicts from the bytes of a file, without torch."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from adkit import AutoencoderDetector, DRAEMDetector, VAEDetector
from adkit.data import AnomalyDataset, stitch, tile_positions
from adkit.data.padding import pad_to_multiple
from adkit.data.resize import resize_pixels
from adkit.data.samples import FileSample
from adkit.deploy import Policy, export_onnx, find_policy, open_judge
from adkit.deploy.export import onnx_export
from adkit.deploy.export.arrays import mirrored_to, resized, stitched
from adkit.deploy.export.cores import NotExportable
from adkit.deploy.export.onnx_export import ParityError, check_parity
from adkit.deploy.export.samples import sample_files
from adkit.deploy.judges import TorchJudge
from tests.conftest import TINY, TINY_DRAEM, TINY_VAE

RNG = np.random.default_rng(0)


# -- the twins -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(16, 24), (40, 61), (33, 20), (7, 100), (41, 59)])
def test_resizing_is_that_of_torch(size):
    image = RNG.random((3, 41, 59), np.float32)
    expected = interpolate(torch.from_numpy(image)[None], size=size, mode="bilinear", antialias=True)[0].numpy()
    np.testing.assert_allclose(resized(image, size), expected, atol=5e-6)
    pixels = RNG.integers(0, 256, (1, 41, 59), dtype=np.uint8)
    ours = np.rint(resized(pixels.astype(np.float32), size)).astype(np.uint8)
    theirs = resize_pixels(pixels, size)
    assert (ours != theirs).mean() < 0.01  # what lies on the edge of rounding
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("blend", [False, True])
def test_tiles_are_stitched_as_torch_does(blend):
    corners = tile_positions((50, 70), (32, 32), 8)
    tiles = RNG.random((len(corners), 32, 32), np.float32)
    expected = stitch(torch.from_numpy(tiles), corners, (50, 70), blend=blend).numpy()
    np.testing.assert_allclose(stitched(list(tiles), corners, (50, 70), blend), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(5, 3), (1, 1), (16, 16), (9, 40)])
def test_borders_are_mirrored_as_torch_does(size):
    image = RNG.random((2, 1, *size), np.float32)
    padded = pad_to_multiple(torch.from_numpy(image), 16).numpy()
    np.testing.assert_array_equal(mirrored_to(image, padded.shape[-2:]), padded)


# -- detectors -------------------------------------------------------------------------------------------------------

DETECTORS = {
    "concat": lambda: AutoencoderDetector(**TINY),
    "gated": lambda: AutoencoderDetector(**TINY, skip="gated", depth=3, residual="l1", smoothing=0.0, score="mean"),
    "excited": lambda: AutoencoderDetector(**TINY, skip="none", excite=True, defects=None),
    "vae": lambda: VAEDetector(**TINY_VAE),
    "draem": lambda: DRAEMDetector(**TINY_DRAEM),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", DETECTORS)
def test_what_is_exported_says_the_same(kind, splits, tmp_path):
    detector = DETECTORS[kind]().fit(splits.train, splits.validation)
    out = export_onnx(detector, tmp_path / "exported")
    parity = json.loads((out / "parity.json").read_text())
    assert parity["files"] == 19
    assert parity["map_error"] <= 1e-5
    assert parity["score_error"] <= 1e-5
    assert parity["verdicts_equal"]
    judge = open_judge(out)
    assert (judge.platform, judge.name) == ("adkit_onnx", type(detector).__name__)
    assert find_policy(out).image_threshold == detector.threshold
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exported"]  # whole or not at all


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [{"image_size": (32, 48)}, {"tile": (32, 32), "overlap": 8}, {"foreground": "fabric"}, {"channels": 3}],
)
def test_every_preprocessing(settings, tmp_path):
    for i, data in enumerate(sample_files((40, 600), 1, count=3)[:6]):
        (tmp_path / f"{i}.png").write_bytes(data)
    samples = [FileSample(tmp_path / f"{i}.png", "", str(i)) for i in range(6)]
    with pytest.warns(UserWarning, match="validation images"):
        detector = AutoencoderDetector(**TINY).fit(
            AnomalyDataset(samples[:3], **settings), AnomalyDataset(samples[3:], **settings)
        )
    # a pixel on the edge of rounding is one grey level elsewhere, after a resize
    out = export_onnx(detector, tmp_path / "exported", rtol=1e-3 if "image_size" in settings else 1e-5)
    assert check_parity(out, TorchJudge(detector.save(tmp_path / "saved")), sample_files((50, 320), 3), 1e-3)


@pytest.mark.slow
def test_a_box_without_torch_judges(fitted, tmp_path):
    out = export_onnx(fitted, tmp_path / "exported")
    image = tmp_path / "a.png"
    image.write_bytes(sample_files((32, 64), 1)[1])
    code = (
        "import pathlib, sys; sys.modules['torch'] = None; from adkit.deploy import open_judge, find_policy; "
        "from adkit.deploy.judges import judge_bytes; "
        f"judge = open_judge({str(out)!r}); data = pathlib.Path({str(image)!r}).read_bytes(); "
        f"print(repr(judge_bytes(data, judge, find_policy({str(out)!r})).raw.score))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert done.stderr == ""
    assert float(done.stdout) == pytest.approx(fitted.predict(image).score, rel=1e-5)


@pytest.mark.slow
def test_what_cannot_be_exported_says_why(fitted, fitted_patchcore, splits, tmp_path, monkeypatch):
    with pytest.raises(NotExportable, match="PatchCoreDetector cannot be exported: only networks"):
        export_onnx(fitted_patchcore, tmp_path / "a")
    for change in ({"residual": "ssim"}, {"score": "topk"}, {"border": 2}, {"surroundings": 8.0}):
        other = fitted.with_settings(**change).calibrate(splits.validation)
        with pytest.raises(NotExportable, match=f"{next(iter(change))}.* cannot be exported"):
            export_onnx(other, tmp_path / "a")
    assert not list(tmp_path.iterdir())
    (tmp_path / "taken").mkdir()
    with pytest.raises(FileExistsError, match="no exported detector"):
        export_onnx(fitted, tmp_path / "taken")
    with pytest.raises(ValueError, match="no images in"):
        export_onnx(fitted, tmp_path / "a", images=tmp_path / "taken")
    monkeypatch.setattr(onnx_export, "check_parity", lambda *args: check_parity(*args[:3], rtol=0.0))
    with pytest.raises(ParityError, match="differs from the detector"):
        export_onnx(fitted, tmp_path / "a")


@pytest.mark.slow
def test_an_export_that_was_touched_is_refused(fitted, tmp_path):
    saved = fitted.save(tmp_path / "saved")
    Policy.of(fitted).changed(min_area=7).save(saved)
    out = export_onnx(saved, tmp_path / "exported")
    assert find_policy(out).min_area == 7
    assert export_onnx(saved, out) == out
    graph = bytearray((out / "model.onnx").read_bytes())
    graph[len(graph) // 2] ^= 1
    (out / "model.onnx").write_bytes(graph)
    with pytest.raises(ValueError, match="not the one that was exported"):
        open_judge(out)
    (out / "export.json").unlink()
    with pytest.raises(FileNotFoundError, match="no exported detector"):
        open_judge(out)
