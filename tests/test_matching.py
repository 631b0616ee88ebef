"""Widths that make two architectures equally large."""

import json

import pytest
import torch

from adkit.models import count_parameters
from adkit.models.autoencoder import Autoencoder
from adkit.models.matching import match_width


@pytest.mark.parametrize("target", [30_000, 278_385, 5_000_000])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"skip": "add", "skip_levels": [1]},
        {"skip": "concat", "channels": 3},
        {"skip": "gated", "excite": True},
        {"depth": 2, "latent": 7},
        {"depth": 6, "skip": "concat", "latent": 8},
    ],
)
def test_the_network_of_the_width_has_the_parameters(target, settings):
    width = match_width(target, **settings)
    assert abs(count_parameters(Autoencoder(width=width, **settings)) / target - 1) <= 0.03
    assert json.loads(json.dumps(width)) == width


def test_a_network_matches_itself_with_a_whole_number():
    for width in (1, 5, 16):
        found = match_width(count_parameters(Autoencoder(width=width)), tolerance=0)
        assert (found, type(found)) == (width, int)


def test_a_tight_tolerance_takes_finer_widths():
    target = count_parameters(Autoencoder())
    assert [match_width(target, share, skip="concat") for share in (0.1, 0.03, 0.003)] == [16, 15.5, 15.65625]


def test_halves_quarters_and_eighths_are_found_again():
    for width in (4.5, 7.25, 6.125):
        assert match_width(count_parameters(Autoencoder(width=width)), tolerance=0) == width


def test_no_other_network_is_nearer_than_the_one_that_an_error_names():
    target = 3_001
    counts = {w / 100: count_parameters(Autoencoder(width=w / 100, depth=3, latent=2)) for w in range(50, 400)}
    nearest = min(counts.values(), key=lambda count: abs(count - target))
    assert nearest != target
    message = rf"no width gives 3001 parameters within 0 %; the nearest, [\d.]+, gives {nearest}; allow a larger"
    with pytest.raises(ValueError, match=message):
        match_width(target, tolerance=0, depth=3, latent=2)


def test_a_target_below_the_smallest_network_names_it():
    smallest = count_parameters(Autoencoder(width=0.01))
    with pytest.raises(ValueError, match=rf"no width gives 10 parameters within 3 %; .* gives {smallest};"):
        match_width(10)


def test_nothing_is_drawn_or_allocated():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    assert match_width(10**11) > 1000  # 400 GB of float32, were it built
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("target", [0, -5, 1e5, True, "many"])
def test_a_target_is_a_number_of_parameters(target):
    with pytest.raises(ValueError, match="target must be a positive number of parameters, got"):
        match_width(target)


@pytest.mark.parametrize("tolerance", [-0.01, 1, 3, float("nan")])
def test_a_tolerance_is_a_share(tolerance):
    with pytest.raises(ValueError, match=r"tolerance must be in \[0, 1\), a share of the target, got"):
        match_width(1000, tolerance)


def test_wrong_settings_are_named_by_the_network():
    with pytest.raises(ValueError, match="skip must be one of"):
        match_width(1000, skip="dense")
