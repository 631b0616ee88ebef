"""VAEs of equal size: every variant comes near the plain one, and what cannot is refused."""

import pytest
import torch

from adkit.models import count_parameters
from adkit.models.matching import match_widths
from adkit.models.vae_variants import VARIANTS, build_vae

SHAPE = {"image_size": (32, 32), "channels": 1, "latent_dim": 64}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_comes_near_the_plain_network(variant):
    widths = match_widths(variant, (16, 32, 64), **SHAPE)
    assert widths[:2] == [16, 32]
    with torch.device("meta"):
        plain, matched = (
            count_parameters(build_vae(name, widths=own, **SHAPE))
            for name, own in (("plain", (16, 32, 64)), (variant, widths))
        )
    assert matched == pytest.approx(plain, rel=0.01)


def test_the_plain_network_stays_as_it_is():
    assert match_widths("plain", [8, 24], **SHAPE) == [8, 24]


def test_what_cannot_be_matched_is_refused():
    with pytest.raises(
        ValueError, match=r"no last width from 3 to 4 gives the attention VAE \d+ parameters within 0.01 %"
    ):
        match_widths("attention", [4, 4], tolerance=1e-4, **SHAPE)
