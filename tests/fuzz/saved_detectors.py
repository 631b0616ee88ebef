"""A fuzzer of saved detectors: bits flipped, files cut off, other values in the description, files of another kind.

What is changed is refused with a ValueError or loads into a detector whose every word is a finite number; with the
checksums looked at, it is refused. Nothing else may come of it: no other exception, and no more than bounded memory.

A case is a number, from which everything is drawn.
"""

import atexit
import json
import math
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from adkit import AutoencoderDetector, FilterBankDetector, PatchCoreDetector, VAEDetector, load_dataset, load_detector
from adkit.runtime.serialization import description_hash
from tests.conftest import TINY, TINY_PATCHCORE, TINY_VAE

KINDS = {
    "autoencoder": lambda: AutoencoderDetector(**TINY),
    "vae": lambda: VAEDetector(**TINY_VAE),
    "patchcore": lambda: PatchCoreDetector(**TINY_PATCHCORE),
    "filterbank": lambda: FilterBankDetector(quiet=True, device="cpu"),
}
DESCRIPTION, WEIGHTS = "detector.json", "weights.safetensors"
VALUES = (
    None, True, False, 0, 1, -1, 3, 64, 10**9, 10**30, -0.5, 0.95, 1e308, -1e308, 1e-320, "", "a", "../../etc/passwd",
    "cuda", "l2", [], [0], [1, 2], [[3]], [None], {}, {"mse": 1}, {"detector": "x"}, "mse + nothing", "é雪", "x" * 1000,
)  # fmt: skip
CASE = st.integers(0, 2**32 - 1)
FEW = 60  # with the other tests
IMAGE = np.linspace(0, 1, 32 * 64, dtype=np.float32).reshape(32, 64)


def save_all(folder: Path) -> None:
    """One small detector of each kind."""
    splits = load_dataset("textile", category="denim", image_size=(32, 64))
    with warnings.catch_warnings(action="ignore"):
        for name, make in KINDS.items():
            make().fit(splits.train, splits.validation).save(folder / name)


def places(value: object, way: tuple = ()) -> list[tuple]:
    """The ways to all values of a JSON document."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [way, *(place for key, entry in inside for place in places(entry, (*way, key)))]


def replaced(document: object, way: tuple, value: object) -> object:
    """A JSON document with another value at one place."""
    if not way:
        return value
    changed = dict(document) if isinstance(document, dict) else list(document)
    changed[way[0]] = replaced(changed[way[0]], way[1:], value)
    return changed


def without(document: object, way: tuple) -> object:
    """A JSON document without one of its values."""
    if len(way) > 1:
        return replaced(document, way[:1], without(document[way[0]], way[1:]))
    changed = dict(document) if isinstance(document, dict) else list(document)
    del changed[way[0]]
    return changed


# -- the ways to harm a folder: each takes the folder, the others, and what draws ----------------------------------


def flip_bits(folder: Path, others: Path, draw: random.Random) -> None:
    file = folder / draw.choice([DESCRIPTION, WEIGHTS])
    data = bytearray(file.read_bytes())
    for _ in range(draw.choice([1, 1, 2, 8, 64])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    file.write_bytes(data)


def flip_header(folder: Path, others: Path, draw: random.Random) -> None:
    """In the names, types and shapes of the tensors."""
    file = folder / WEIGHTS
    data = bytearray(file.read_bytes())
    for _ in range(draw.choice([1, 2, 4])):
        data[draw.randrange(min(len(data), 4000))] ^= 1 << draw.randrange(8)
    file.write_bytes(data)


def cut_off(folder: Path, others: Path, draw: random.Random) -> None:
    file = folder / draw.choice([DESCRIPTION, WEIGHTS])
    data = file.read_bytes()
    file.write_bytes(data[: draw.randrange(len(data))])


def lengthen(folder: Path, others: Path, draw: random.Random) -> None:
    file = folder / draw.choice([DESCRIPTION, WEIGHTS])
    file.write_bytes(file.read_bytes() + draw.randbytes(draw.randrange(1, 100)))


def another_value(folder: Path, others: Path, draw: random.Random) -> None:
    document = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    document = replaced(document, draw.choice(places(document)), draw.choice(VALUES))
    (folder / DESCRIPTION).write_text(json.dumps(document), encoding="utf-8")


def another_value_well_signed(folder: Path, others: Path, draw: random.Random) -> None:
    """By somebody who knows how checksums are made: only what the values say can refuse it."""
    document = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    sums = document.pop("checksums")
    document = replaced(document, draw.choice(places(document)[1:]), draw.choice(VALUES))
    document["checksums"] = sums | {"description": description_hash(document)}
    (folder / DESCRIPTION).write_text(json.dumps(document), encoding="utf-8")


def no_value(folder: Path, others: Path, draw: random.Random) -> None:
    document = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    document = without(document, draw.choice(places(document)[1:]))
    (folder / DESCRIPTION).write_text(json.dumps(document), encoding="utf-8")


def file_of_another(folder: Path, others: Path, draw: random.Random) -> None:
    name = draw.choice([DESCRIPTION, WEIGHTS])
    shutil.copy(others / draw.choice(list(KINDS)) / name, folder / name)


def no_file(folder: Path, others: Path, draw: random.Random) -> None:
    (folder / draw.choice([DESCRIPTION, WEIGHTS])).unlink()


HARM: tuple[Callable, ...] = (
    flip_bits, flip_header, cut_off, lengthen, another_value, another_value_well_signed, no_value, file_of_another,
    no_file,
)  # fmt: skip
SIGNED = (another_value_well_signed,)


def one_case(saved: Path, seed: int) -> str:
    """Harm one folder, and look at what becomes of it.

    Returns:
        What happened: ``refused``, ``unchanged``, ``loads and judges`` or ``loads and refuses to judge``.

    Raises:
        AssertionError: if something happened that may not.
    """
    draw = random.Random(seed)
    kind, harm = draw.choice(list(KINDS)), draw.choice(HARM)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "detector"
        shutil.copytree(saved / kind, folder)
        harm(folder, saved, draw)
        try:
            with warnings.catch_warnings(action="ignore"):
                return _outcome(folder, saved / kind, harm in SIGNED, verify=draw.random() < 0.5)
        except (ValueError, FileNotFoundError):
            return "refused"
        except Exception as error:
            raise AssertionError(f"case {seed}: {harm.__name__} on {kind}: {type(error).__name__}: {error}") from error


def _outcome(folder: Path, original: Path, signed: bool, verify: bool) -> str:
    changed = any(not _same(folder / name, original / name) for name in (DESCRIPTION, WEIGHTS))
    detector = load_detector(folder, device="cpu", verify=verify)
    if not changed:
        return "unchanged"
    unsigned = "checksums" not in json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    if verify and not signed and not unsigned:
        raise AssertionError("it was changed, and loads in spite of its checksums")
    channels = detector.preprocessing.channels
    try:
        seen = detector.predict(np.repeat(IMAGE[None], channels, axis=0))
    except ValueError:
        return "loads and refuses to judge"
    finite = math.isfinite(seen.score) and math.isfinite(seen.threshold) and np.isfinite(seen.anomaly_map).all()
    assert finite, "it says a number that is none"
    return "loads and judges"


def _same(file: Path, original: Path) -> bool:
    if file.suffix == ".json":
        try:
            return json.loads(file.read_bytes()) == json.loads(original.read_bytes())
        except ValueError:
            return False
    return file.is_file() and file.read_bytes() == original.read_bytes()


@lru_cache
def originals() -> Path:
    """Folder of whole detectors, made once; it goes with the process."""
    folder = tempfile.TemporaryDirectory(prefix="adkit-fuzz-")
    atexit.register(folder.cleanup)
    save_all(Path(folder.name))
    return Path(folder.name)


def check(number: int) -> str:
    """Harm the folder that a number draws, and look at what becomes of it."""
    return one_case(originals(), number)
