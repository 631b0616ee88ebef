"""What changes from one good image to the next."""

import pytest
import torch

from adkit import DRAEMDetector
from adkit.data.crops import Batch
from adkit.data.drift import BRIGHTNESS, LIGHT, Drift


def images(count: int = 6, channels: int = 3) -> torch.Tensor:
    return 0.3 + 0.4 * torch.rand(count, channels, 40, 56, generator=torch.Generator().manual_seed(0))


def seeded(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def test_images_stay_images_and_each_drifts_by_itself():
    drifted = Drift()(images(), seeded())
    assert drifted.shape == (6, 3, 40, 56)
    assert 0 <= drifted.min()
    assert drifted.max() <= 1
    shifts = (drifted - images()).mean(dim=(1, 2, 3))
    assert len(shifts.unique()) == 6
    assert shifts.abs().max() < BRIGHTNESS + LIGHT + 0.01


def test_equal_seeds_drift_equally_and_strength_0_not_at_all():
    assert torch.equal(Drift()(images(), seeded()), Drift()(images(), seeded()))
    assert not torch.equal(Drift()(images(), seeded()), Drift()(images(), seeded(1)))
    assert Drift(0)(images(), seeded()).equal(images())


def test_half_the_strength_changes_less():
    changes = [float((Drift(s)(images(), seeded()) - images()).abs().mean()) for s in (0.5, 1.0, 2.0)]
    assert changes == sorted(changes)


@pytest.mark.parametrize("strength", [-1, float("nan"), float("inf")])
def test_a_wrong_strength_is_refused(strength):
    with pytest.raises(ValueError, match="at least 0"):
        Drift(strength)
    with pytest.raises(ValueError, match="drift must be"):
        DRAEMDetector(drift=strength)


def test_a_batch_without_changes_is_itself_and_drift_leaves_the_objective_its_draws():
    batch = Batch(images(), key=(0, 3, 0))
    assert batch.varied().images is batch.images
    varied = batch.varied(drift=1.0)
    assert not torch.equal(varied.images, batch.images)
    assert torch.equal(torch.rand(3, generator=varied.generator()), torch.rand(3, generator=batch.generator()))
