"""The library in a project of somebody's own: their folders, their scripts, their processes, no warning passed over."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from adkit import AutoencoderDetector, load_dataset
from tests.conftest import TINY

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def write_photos(folder, good=140, bad=6, masks=True):
    """Grey photographs of a striped thing, some with a bright spot."""
    draw = np.random.default_rng(0)
    for part, count in (("good", good), ("Kratzer", bad)):
        (folder / part).mkdir(parents=True)
        for k in range(count):
            pixels = 100 + 40 * np.sin(np.arange(64) / 3) + draw.normal(0, 5, (32, 64))
            if part != "good":
                pixels[10:16, 20:30] = 250
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / part / f"Prüfling {k}.png")
            if masks and part != "good":
                mask = np.zeros((32, 64), np.uint8)
                mask[10:16, 20:30] = 255
                (folder / "ground_truth" / part).mkdir(parents=True, exist_ok=True)
                Image.fromarray(mask).save(folder / "ground_truth" / part / f"Prüfling {k}_mask.png")
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A working directory with blanks and umlauts in its name."""
    return tmp_path_factory.mktemp("own") / "Prüfstand 3 – Maße"


@pytest.fixture(scope="module")
def photos(place):
    return write_photos(place / "Fotos von heute")


def run_script(script, folder, *flags, home=None):
    """A file of that text, run in that folder as a user would; its standard output."""
    file = folder / "mein skript.py"
    file.write_text(script, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "ADKIT_HOME": str(home or "runs")}
    done = subprocess.run(
        [sys.executable, *flags, file.name], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_no_warning_is_passed_over_on_a_whole_set(place, photos):
    """With -W error: paths with blanks and umlauts, relative to a working directory of the user's."""
    script = f"""
from adkit import AutoencoderDetector, evaluate, load_dataset, load_detector

splits = load_dataset("folder", "Fotos von heute")
detector = AutoencoderDetector(**{TINY}).fit(splits.train, splits.validation)
detector.save("Prüfer/größer")
loaded = load_detector("Prüfer/größer", device="cpu")
loaded.quiet = True
seen = loaded.predict("Fotos von heute/Kratzer/Prüfling 0.png")
assert seen == detector.predict(splits.test.paths[splits.test.kinds.index("Kratzer")])
result = evaluate(loaded, splits.test)
rows = loaded.predict_folder("Fotos von heute/Kratzer", "Urteile")
assert [row["path"] for row in rows] == [f"Prüfling {{k}}.png" for k in range(6)]
print(result.pro is not None, sorted(result.by_kind), len(splits.validation) >= 20)
"""
    assert run_script(script, place, "-W", "error") == "True ['Kratzer'] True\n"
    assert (place / "Urteile" / "predictions.csv").is_file()
    assert {path.name for path in place.iterdir()} == {"Fotos von heute", "Prüfer", "Urteile", "mein skript.py"}


@pytest.mark.slow
def test_a_script_with_processes_of_its_own(place):
    """Worker processes import the script's main module again, and load nothing twice."""
    script = f"""
from torch.utils.data import DataLoader

from adkit import Experiment, load_dataset
from adkit.batch import open_executor
from adkit.experiments import run_many

print("imported", __name__)
if __name__ == "__main__":
    splits = load_dataset("folder", "Fotos von heute")
    loader = DataLoader(splits.test, batch_size=40, num_workers=2, multiprocessing_context="spawn")
    print(sum(len(batch["label"]) for batch in loader) == len(splits.test))
    experiments = [Experiment(settings={TINY}, dataset="folder", root="Fotos von heute", seed=s) for s in (0, 1)]
    with open_executor("local:2") as executor:
        results = run_many(experiments, executor, quiet=True)
    print([result.experiment.seed for result in results])
"""
    lines = run_script(script, place).splitlines()
    assert [line for line in lines if not line.startswith("imported __mp_main__")] == [
        "imported __main__", "True", "[0, 1]",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # fork, from Python 3.12 on
def test_workers_of_a_dataloader_give_the_same_images(photos, context):
    splits = load_dataset("folder", photos, tile=(16, 32), overlap=4)
    dataset = splits.test.subset(range(0, len(splits.test), 3))
    options = {"batch_size": 16, "multiprocessing_context": context, "persistent_workers": True}
    loader, plain = DataLoader(dataset, num_workers=2, **options), list(DataLoader(dataset, batch_size=16))
    for _ in range(2):
        batches = list(loader)
        assert sum(len(batch["image"]) for batch in batches) == len(dataset)
        assert all(torch.equal(a["image"], b["image"]) for a, b in zip(batches, plain, strict=True))
        assert [a["path"] for a in batches] == [b["path"] for b in plain]


def ten_lines():
    """The first block of Python in the README."""
    return re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]


@pytest.mark.parametrize("masks", [False, True])
def test_the_ten_lines_of_the_readme_on_photographs_of_ones_own(tmp_path, monkeypatch, capsys, masks):
    """Word for word, but for the folder, and for a training that takes no time."""
    write_photos(tmp_path / "photos", good=40, masks=masks)
    (tmp_path / "photos" / "good" / "Prüfling 0.png").rename(tmp_path / "photo.png")
    lines = ten_lines()
    assert 'load_dataset("textile", category="gabardine")' in lines
    lines = lines.replace('load_dataset("textile", category="gabardine")', 'load_dataset("folder", root="photos")')
    monkeypatch.chdir(tmp_path)
    original = AutoencoderDetector.__init__
    monkeypatch.setattr(AutoencoderDetector, "__init__", lambda self, **given: original(self, **TINY | given))
    with warnings.catch_warnings(action="ignore"):  # of few images
        exec(compile(lines, "README.md", "exec"), {})
    first, second = capsys.readouterr().out.splitlines()[-2:]
    numbers = r"\d\.\d+ \(\d\.\d+, \d\.\d+\)" if masks else "None None"
    assert re.fullmatch(rf"\d\.\d+ {numbers} \['Kratzer'\]", first)
    assert second.endswith("(32, 64)")
