"""The autoencoder: shapes, range, receptive field, borders, where its skips are, and that it can learn at all."""

import json
import math

import pytest
import torch
from torch import nn

from adkit import AutoencoderDetector, load_detector
from adkit.data.padding import mirrored, pad_to_multiple
from adkit.models import count_parameters
from adkit.models.autoencoder import Autoencoder
from adkit.models.blocks import SKIPS, Join, squeeze_excitation, upgrade_squeeze_excitation
from adkit.models.vae_variants import build_vae
from tests.conftest import TINY


def small(**settings) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(**{"width": 4, "depth": 3, "latent": 4} | settings).eval()


@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("size", [(176, 976), (64, 64), (50, 33), (8, 8), (3, 1)])
def test_any_frame_comes_back_at_its_own_size_and_in_range(skip, size):
    images = torch.rand(2, 1, *size)
    for settings in ({}, {"width": 3.3, "excite": True}):
        output = small(skip=skip, **settings)(images)
        assert output.shape == images.shape
        assert 0 < output.min() <= output.max() < 1


def test_the_bottleneck_is_one_cell_a_patch():
    model = small(depth=4, latent=5, channels=3)
    assert model.encode(torch.rand(1, 3, 176, 976)).shape == (1, 5, 11, 61)
    assert [tuple(f.shape[1:]) for f in model.features(torch.rand(1, 3, 32, 64))] == [
        (4, 16, 32), (8, 8, 16), (16, 4, 8), (32, 2, 4),
    ]  # fmt: skip
    assert model.compression == 3 * 256 / 5


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_no_pixel_reaches_further_than_the_receptive_field(depth):
    model = small(depth=depth).double()
    side = 4 * 2**depth + 2 * model.receptive_field
    images, reach = torch.rand(1, 1, side, side, dtype=torch.double), 0
    with torch.inference_mode():
        before = model(images)
        for offset in range(2**depth):
            changed = images.clone()
            at = side // 2 + offset
            changed[..., at, at] += 1.0
            touched = (model(changed) - before).abs()[0, 0].nonzero()
            reach = max(reach, int((touched - at).abs().max()))
    assert 2**depth < reach <= model.receptive_field


def tile_gap(**settings) -> float:
    """Largest difference between a tile and its frame, further from the tile's border than plain convolutions see."""
    model, frame = small(**settings), torch.rand(1, 1, 128, 256)
    frame[..., 192:] *= 0.2  # the frame's average is not the tile's
    with torch.inference_mode():
        for layer in model.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = 1.0
        model.train()(frame)  # BatchNorm measures the frame; before that, a new network hardly sees its input
        model.eval()
        full, tile = model(frame)[..., 64:192], model(frame[..., 64:192])
    inner = slice(small().receptive_field, 128 - small().receptive_field)
    assert full.std() > 0.01
    return float((full - tile)[..., inner, inner].abs().max())


@pytest.mark.parametrize("skip", SKIPS)
def test_a_tile_agrees_with_the_full_frame_away_from_its_border(skip):
    assert tile_gap(skip=skip) < 1e-5


@pytest.mark.parametrize("skip", SKIPS)
def test_with_squeeze_and_excitation_a_tile_differs_everywhere(skip):
    assert small(excite=True).receptive_field == math.inf
    assert tile_gap(skip=skip, latent=16, excite=True) > 1e-4


def test_padding_leaves_the_inside_alone():
    images = torch.rand(1, 1, 21, 35)
    padded = pad_to_multiple(images, 8)
    assert padded.shape[-2:] == (24, 40)
    assert torch.equal(padded[..., :21, :35], images)
    assert torch.equal(padded[..., 21, :35], images[..., 19, :])  # mirrored, the border row not repeated
    assert pad_to_multiple(padded, 8) is padded


def test_mirrored_never_leaves_the_image():
    for length in (1, 2, 3, 7):
        index = mirrored(torch.arange(-20, 20), length)
        assert index.min() >= 0
        assert index.max() < length
        assert torch.equal(index[20 : 20 + length], torch.arange(length))


def test_it_overfits_eight_images():
    torch.manual_seed(0)
    x = torch.linspace(0, 12.6, 32)
    images = torch.stack([0.5 + 0.4 * torch.sin((k + 1) / 2 * x)[None, :] * torch.cos(x)[:, None] for k in range(8)])[
        :, None
    ]
    model = Autoencoder(width=8, depth=2, latent=16)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    start = None
    for _ in range(150):
        loss = (model(images) - images).square().mean()
        start = start or loss.item()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.03 * start


def test_skips_cost_what_they_say():
    plain, added, concat, gated = (count_parameters(small(skip=skip)) for skip in SKIPS)
    assert plain == added
    assert gated == plain + 4 + 8
    assert concat == plain + (2 * 4 * 4 + 4) + (2 * 8 * 8 + 8)


def test_squeeze_and_excitation_is_its_equation():
    torch.manual_seed(0)
    block, x = squeeze_excitation(8), torch.rand(2, 8, 5, 7)
    (first, second), mean = (block.fc1, block.fc2), x.mean((2, 3))
    hidden = torch.relu(mean @ first.weight[:, :, 0, 0].T + first.bias)
    weights = torch.sigmoid(hidden @ second.weight[:, :, 0, 0].T + second.bias)
    torch.testing.assert_close(block(x), x * weights[:, :, None, None])
    assert hidden.shape == (2, 2)
    assert squeeze_excitation(2)(x[:, :2]).shape == (2, 2, 5, 7)  # one hidden channel is left


def test_squeeze_and_excitation_adds_to_the_network_and_changes_nothing_else():
    plain, excited = small(latent=8), small(latent=8, excite=True)
    assert count_parameters(excited) == count_parameters(plain) + (8 * 2 + 2) + (2 * 8 + 8)
    for name, value in plain.state_dict().items():
        assert torch.equal(value, excited.state_dict()[name])
    images = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(excited.encode(images), excited.excite(plain.encode(images)))


def test_weights_of_squeeze_and_excitation_that_an_old_version_saved_fit_under_their_new_names():
    networks = [small(latent=8, excite=True), build_vae("squeeze", image_size=(32, 32), channels=1, widths=(4, 8))]
    for network in networks:
        state = network.state_dict()
        saved = {name.replace("fc1", "weigh.1").replace("fc2", "weigh.3"): value for name, value in state.items()}
        assert any("weigh.1.weight" in name for name in saved)
        upgraded = upgrade_squeeze_excitation(saved)
        assert list(upgraded) == list(state)
        assert all(torch.equal(upgraded[name], state[name]) for name in state)
        network.load_state_dict(upgraded)
    assert upgrade_squeeze_excitation(state).keys() == state.keys()  # today's names stay


def test_parameters_are_counted_once_trained_or_frozen_of_a_network_or_of_a_detector():
    network = small()
    trained = count_parameters(network)
    assert count_parameters(nn.ModuleList([network, network])) == trained
    assert count_parameters(network.requires_grad_(False)) == trained

    class Holder:
        def __init__(self):
            self.model, self.again, self.steps = network, nn.Sequential(network, nn.Linear(2, 3)), 400

    assert count_parameters(Holder()) == trained + 9


def test_a_whole_width_is_the_same_network_however_it_is_written():
    whole, real = small(width=4).state_dict(), small(width=4.0).state_dict()
    assert list(whole) == list(real)
    assert all(torch.equal(whole[name], real[name]) for name in whole)
    assert count_parameters(Autoencoder()) == 278_385  # stored detectors still fit


@pytest.mark.parametrize(
    "width, channels", [(4, [4, 8, 16, 32, 32]), (3.3, [3, 7, 13, 26, 26]), (0.1, [1, 1, 1, 1, 1])]
)
def test_the_channels_of_a_level_are_the_width_doubled_and_rounded(width, channels):
    levels = small(width=width, depth=5).features(torch.rand(1, 1, 32, 32))
    assert [level.shape[1] for level in levels] == channels


# -- where the skips are -------------------------------------------------------------------------------------------


def levels_in_use(model: Autoencoder) -> list[int]:
    """The levels whose encoder features reach the output through the skip: change them there, and look."""
    images, used = torch.rand(1, 1, 32, 32), []
    with torch.inference_mode():
        before = model(images)
        for level, join in enumerate(model.join):
            hook = join.register_forward_pre_hook(lambda _, maps: (maps[0], maps[1] + 1.0))
            if not torch.equal(model(images), before):
                used.append(level)
            hook.remove()
    return used


@pytest.mark.parametrize("skip", ["add", "concat", "gated"])
@pytest.mark.parametrize("levels, expected", [(None, [0, 1, 2]), ([1], [1]), ([2, 0], [0, 2]), ((0,), [0])])
def test_only_the_chosen_levels_have_a_skip(skip, levels, expected):
    model = small(depth=4, skip=skip, skip_levels=levels)
    assert levels_in_use(model) == model.skip_levels == expected


def test_without_skips_no_level_is_used():
    assert levels_in_use(small(depth=4)) == small(depth=4).skip_levels == []
    assert small(depth=1, skip="add").skip_levels == []


def test_a_skip_on_fewer_levels_costs_less():
    some, every = (count_parameters(small(skip="concat", skip_levels=levels)) for levels in ([1], None))
    assert every - some == 2 * 4 * 4 + 4


def test_gates_start_half_open_and_belong_to_their_levels():
    model = small(depth=4, skip="gated", skip_levels=[0, 2])
    model.join[2].gate.data += 100.0
    gates = model.gate_values()
    torch.testing.assert_close(gates, {0: torch.full((4,), 0.5), 2: torch.ones(16)})
    assert not gates[0].requires_grad


@pytest.mark.parametrize("skip", ["none", "add", "concat"])
def test_without_gates_there_is_nothing_to_read(skip):
    with pytest.raises(ValueError, match=f'only an autoencoder with skip="gated" has gates, this one .*{skip}'):
        small(skip=skip).gate_values()


@pytest.mark.parametrize(
    "settings",
    [
        {"width": 2.5, "skip": "add", "skip_levels": (1,), "excite": True},
        {"skip": "gated", "skip_levels": [2, 0]},
        {"width": 3, "depth": 2, "skip": "concat"},
    ],
)
def test_a_detector_comes_back_from_disk_with_its_architecture(settings, splits, tmp_path):
    detector = AutoencoderDetector(**TINY | {"smoothing": 0.0} | settings).fit(splits.train, splits.validation)
    again = load_detector(detector.save(tmp_path / "detector"), device="cpu")
    images = splits.test[0]["image"][None]
    assert torch.equal(again.anomaly_map(images), detector.anomaly_map(images))
    assert again.settings == detector.settings
    assert again.model.skip_levels == detector.model.skip_levels


def test_a_detector_saved_before_there_were_levels_still_loads(fitted, tmp_path):
    folder = fitted.save(tmp_path / "detector")
    description = json.loads((folder / "detector.json").read_text())
    del description["settings"]["skip_levels"], description["settings"]["excite"], description["checksums"]
    (folder / "detector.json").write_text(json.dumps(description))
    images = torch.rand(1, 1, 32, 64)
    with pytest.warns(UserWarning, match=r"has no checksums|does not tell its (skip_levels|excite)"):
        loaded = load_detector(folder, device="cpu")
    assert torch.equal(loaded.anomaly_map(images), fitted.anomaly_map(images))


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["channels", "depth", "latent"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "4"])
def test_sizes_must_be_positive_integers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a positive integer"):
        Autoencoder(**{name: value})


def test_an_unknown_skip_is_named():
    with pytest.raises(ValueError, match=r"skip must be one of none, add, concat, gated, got 'dense'"):
        Join(4, "dense")
    for depth in (1, 3):
        with pytest.raises(ValueError, match="skip must be one of"):
            Autoencoder(depth=depth, skip="dense")


@pytest.mark.parametrize("value", [0, -0.5, math.inf, math.nan, True, "4", None])
def test_a_width_must_be_a_positive_number(value):
    with pytest.raises(ValueError, match="width must be a positive number, got"):
        Autoencoder(width=value)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"skip_levels": [3]}, r"each once, or be None for all, got \[3\]; a network of depth 4 has levels 0, 1, 2$"),
        ({"skip_levels": [-1]}, r"got \[-1\]"),
        ({"skip_levels": [1, 1]}, r"got \[1, 1\]"),
        ({"skip_levels": []}, r"skip_levels must list one or more levels.* got \[\]"),
        ({"skip_levels": [True]}, r"got \[True\]"),
        ({"skip_levels": [0.0]}, r"got \[0.0\]"),
        ({"skip_levels": 1}, "got 1; a network"),
        ({"skip_levels": "01"}, "got '01'"),
        ({"skip_levels": [0], "depth": 1}, "a network of depth 1 has no level to skip from"),
        ({"skip_levels": [0], "skip": "none"}, r'skip="none" has no levels to choose, got skip_levels=\[0\]'),
        ({"skip_levels": [], "skip": "none"}, r'skip="none" has no levels to choose, got skip_levels=\[\]'),
        ({"excite": "no"}, "excite must be True or False, got 'no'"),
    ],
)
def test_wrong_levels_are_refused_by_network_and_detector(settings, message):
    for refuses in (Autoencoder, AutoencoderDetector):
        with pytest.raises(ValueError, match=message):
            refuses(**{"skip": "add"} | settings)
