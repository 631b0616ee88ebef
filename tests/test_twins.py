"""Clean counterparts: what a network keeps of a defect, against reconstructions whose answer is known."""

import pytest
import torch

from adkit import load_dataset
from adkit.experiments.defect_retention import clean_counterparts, defect_retention, retention

KINDS = {"bright", "dark", "brightness", "texture", "dots"}


@pytest.fixture(scope="module")
def test_part():
    return load_dataset("textile", category="denim", image_size=(64, 64)).test


def test_counterparts_differ_inside_the_mask_only(test_part):
    found = clean_counterparts(test_part)
    assert set(found) == KINDS
    for images, mask in (pair for pairs in found.values() for pair in pairs):
        difference = (images[0] - images[1])[0]
        assert difference[mask].any()
        assert not difference[~mask].any()


@pytest.mark.parametrize("kept", [0.0, 0.25, 1.0])
def test_a_known_share_is_measured(test_part, kept):
    shares = defect_retention(lambda images: kept * images + 0.3, test_part)
    assert shares == {kind: pytest.approx(kept, abs=1e-5) for kind in KINDS}


def test_a_constant_repairs_everything(test_part):
    assert set(defect_retention(torch.zeros_like, test_part).values()) == {0.0}


def test_retention_is_a_slope_inside_the_mask():
    change = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 3:6] = True
    outside = torch.where(mask, 0.0, 7.0)
    assert retention(change, 0.6 * change + outside, mask) == pytest.approx(0.6)
    assert retention(change.flatten(), 0.6 * change.flatten()) == pytest.approx(0.6)
    assert retention(torch.zeros(3), torch.ones(3)) == 0.0


def test_other_sets_have_no_counterparts(tmp_path):
    from tests.data_files import write_image

    for k in range(12):
        write_image(tmp_path / f"{k}.png", seed=k)
    assert defect_retention(torch.zeros_like, load_dataset("folder", root=tmp_path).test) == {}
