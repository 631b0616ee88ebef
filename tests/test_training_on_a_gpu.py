"""What a training would do on a GPU, seen on the CPU: no step waits for the host, and torch.compile is a setting."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from adkit import AutoencoderDetector, DRAEMDetector, VAEDetector, training
from adkit.data.crops import RandomCrops
from adkit.detectors.latent import LatentDetector
from adkit.losses import mse
from adkit.models.autoencoder import Autoencoder
from adkit.runtime.training_state import TrainingState
from adkit.training import Training, fingerprint, fit
from tests.conftest import TINY, TINY_DRAEM, TINY_VAE

# operations for which a GPU tells the host a value or a size
WAITING = ("_local_scalar_dense", "nonzero", "masked_select", "unique", "equal", "is_nonzero")
# methods that bring a tensor, or a number of it, to the host; on the CPU most of them dispatch nothing
BRINGING = ("cpu", "item", "tolist", "numpy", "__array__", "__bool__", "__int__", "__float__", "__index__")
VARIED = {"augment": True, "drift": 1.0, "flips": True}
MIXTURE = ["mask", "noise", "stain", "line", "cutpaste", "perlin", "brightness", "blur", "warp", "missing_yarn"]
DETECTORS = {
    "autoencoder": lambda **more: AutoencoderDetector(**TINY | VARIED | more),
    "synthetic": lambda **more: AutoencoderDetector(**TINY | VARIED | more, defects=MIXTURE, repair=1.0),
    "latent": lambda **more: LatentDetector(**TINY | VARIED | more, depth=2),
    "vae": lambda **more: VAEDetector(**TINY_VAE | VARIED | more),
    "adversarial": lambda **more: VAEDetector(**TINY_VAE | more, adversarial=0.1),
    "draem": lambda **more: DRAEMDetector(**TINY_DRAEM | VARIED | more),
}


class Waits(TorchDispatchMode):
    """Counts the operations for which the host would wait."""

    def __init__(self):
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function._schema.name.removeprefix("aten::")
        chosen = args[1] if name.startswith("index") and len(args) > 1 and isinstance(args[1], list | tuple) else ()
        by_mask = any(isinstance(index, torch.Tensor) and index.dtype == torch.bool for index in chosen)
        if name.startswith(WAITING) or by_mask:
            self.seen[name] += 1
        return function(*args, **(kwargs or {}))


class Brought(TorchFunctionMode):
    """Counts the calls that would bring something to the host."""

    def __init__(self):
        super().__init__()
        self.seen: Counter[str] = Counter()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        name = getattr(function, "__name__", "")
        given = args[0] if args and isinstance(args[0], torch.Tensor) else None
        # a device that a tensor has is no place to name: here every one is the CPU
        named = name == "to" and any(isinstance(value, str) and value == "cpu" for value in args[1:])
        # the state of a generator, bytes, lies on the host whatever the generator's device
        if given is not None and given.dtype != torch.uint8 and (name in BRINGING or named):
            self.seen[name] += 1
        return function(*args, **(kwargs or {}))


@pytest.fixture
def in_steps(monkeypatch):
    """What the host would wait for, from the crops of each step to the count of its losses; nothing is validated.

    The first step counts for nothing: it fills what later ones find, such as the windows of losses.
    """
    waits, brought, steps = Waits(), Brought(), []
    batch, count = RandomCrops.batch, TrainingState.count

    def begins(self, step, rank=0):
        steps.append("begun")
        if len(steps) > 1:
            waits.__enter__()
            brought.__enter__()
        return batch(self, step, rank)

    def ends(self, parts):
        count(self, parts)
        if len(steps) > 1:
            brought.__exit__(None, None, None)
            waits.__exit__(None, None, None)
        steps[-1] = "over"

    monkeypatch.setattr(RandomCrops, "batch", begins)
    monkeypatch.setattr(TrainingState, "count", ends)
    monkeypatch.setattr(training, "fixed_crops", lambda *parts: [])
    monkeypatch.setattr(training, "validate", lambda *parts: torch.tensor(0.5))
    return waits, brought, steps


@pytest.mark.parametrize("name", DETECTORS)
def test_no_step_of_a_training_waits_for_the_host(name, splits, in_steps):
    waits, brought, steps = in_steps
    DETECTORS[name](steps=4, validate_every=4).learn(splits.train, splits.validation)
    assert steps == ["over"] * 4
    assert (dict(waits.seen), dict(brought.seen)) == ({}, {})


def test_what_waits_is_seen(splits, in_steps):
    (waits, brought, _), seen = in_steps, []

    def objective(model, batch):
        loss = mse(model(batch.images), batch.images)
        bright = batch.images > 0.5
        seen.extend([loss.item(), loss.detach().cpu(), loss.detach().numpy(), bool(loss > 0)])
        seen.extend([batch.images[bright], bright.nonzero()])
        return {"loss": loss}

    settings = Training(steps=3, crop=32, batch_size=4, validate_every=3, device="cpu")
    fit(Autoencoder(width=4), splits.train, splits.validation, objective, settings, quiet=True)
    assert brought.seen >= Counter(item=2, cpu=2, numpy=2, __bool__=2)
    assert waits.seen >= Counter(_local_scalar_dense=2, index=2, nonzero=2)


def test_compile_is_a_setting_that_trains_the_same(splits, monkeypatch):
    calls, original = [], torch.compile
    # the graph as it is, without a compiler; what it is compiled to is torch's concern
    monkeypatch.setattr(torch, "compile", lambda model: calls.append(model) or original(model, backend="eager"))
    settings = TINY | {"precision": "float32"}
    compiled, plain = (
        AutoencoderDetector(**settings, compile=choice).fit(splits.train, splits.validation) for choice in (True, False)
    )
    assert calls == [compiled.model]
    assert not any(name.startswith("_orig_mod") for name in compiled.model.state_dict())
    weights = plain.model.state_dict()
    for name, value in compiled.model.state_dict().items():
        torch.testing.assert_close(value, weights[name], rtol=0.01, atol=1e-3)
    with pytest.raises(ValueError, match="compile must be True or False"):
        AutoencoderDetector(compile="max-autotune")


def test_what_changes_the_rounding_alone_does_not_refuse_a_checkpoint():
    settings = Training()
    assert fingerprint(replace(settings, compile=True, precision="bfloat16")) == fingerprint(settings)
    assert fingerprint(replace(settings, steps=3)) != fingerprint(settings)
