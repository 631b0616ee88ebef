"""The variants of the VAE: each keeps the interface, each learns, and each is what its name says."""

import pytest
import torch
from torch.nn.functional import one_hot

from adkit.models.elbo import ELBOLoss
from adkit.models.patch_discriminator import AdversarialVAE, PatchDiscriminator, adversarial_losses
from adkit.models.vae_conditional import ConditionalVAE, fabric_code
from adkit.models.vae_hierarchical import HierarchicalVAE
from adkit.models.vae_variants import VARIANTS, SelfAttention, build_vae
from adkit.scoring import anomaly_map

SMALL = {"image_size": (32, 32), "channels": 1, "latent_dim": 8, "widths": (8, 8, 16)}


def build(variant: str, **settings):
    torch.manual_seed(0)
    return build_vae(variant, **SMALL | settings)


def waves() -> torch.Tensor:
    """Eight images (8, 1, 32, 32)."""
    x = torch.linspace(0, 12.6, 32)
    return torch.stack([0.5 + 0.4 * torch.sin((k + 1) / 2 * x)[None, :] * torch.cos(x)[:, None] for k in range(8)])[
        :, None
    ]


def train(model, loss, steps=60):
    """The loss at the first and the last step."""
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3)
    values = []
    for _ in range(steps):
        value, reported = loss(model)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        values.append(reported.item())
    return values[0], values[-1]


# -- all of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_loss_falls_on_eight_images(variant):
    images, elbo = waves(), ELBOLoss()

    def loss(model):
        value = elbo(model(images), images, beta=0.1)["loss"]
        return value, value.detach()

    first, last = train(build(variant), loss)
    assert last < 0.6 * first


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_have_one_interface(variant):
    model, images = build(variant, image_size=(30, 45)).eval(), torch.rand(3, 1, 30, 45)
    with torch.inference_mode():
        output = model(images)
        assert output.reconstruction.shape == images.shape
        assert {part.shape for part in output[1:]} == {(3, 8)}
        mu, log_variance = model.encode(images)
        torch.testing.assert_close((mu, log_variance), (output.mu, output.log_variance))
        torch.testing.assert_close(model.reconstruct(images[:1]), output.reconstruction[:1])
        drawn = model.reconstruct(images, 2, torch.Generator().manual_seed(0))
    assert not torch.equal(drawn, output.reconstruction)


@pytest.mark.parametrize("variant", VARIANTS)
def test_all_parameters_learn(variant):
    model, images = build(variant), waves()
    ELBOLoss()(model(images), images)["loss"].backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_an_unknown_variant_is_named():
    with pytest.raises(ValueError, match=r"variant must be one of plain, add, .*hierarchical, got 'deep'"):
        build("deep")


# -- skips, attention ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skip", ["add", "concat", "gated"])
def test_skips_carry_what_the_latent_vector_does_not(skip):
    model, images = build(skip).eval(), waves()
    with torch.inference_mode():
        z = torch.zeros(8, 8)
        spread = model.decode(z, model.features(images)).std(dim=0).mean()
        assert spread > 1e-4
        assert model.decode(z).std(dim=0).max() < 1e-6  # without the skips all images are one


def test_a_skip_without_a_name_is_refused():
    with pytest.raises(ValueError, match="skip must be one of none, add, concat, gated, got 'dense'"):
        VARIANTS["add"](**SMALL, skip="dense")


def test_attention_begins_as_the_identity_and_sees_every_cell():
    torch.manual_seed(0)
    attention, x = SelfAttention(6), torch.rand(2, 6, 3, 5)
    assert torch.equal(attention(x), x)
    torch.nn.init.ones_(attention.strength)
    changed = x.clone()
    changed[..., 0, 0] += 1
    assert (attention(changed) - attention(x))[..., 2, 4].abs().max() > 1e-6
    assert build("attention").down[-1][-1].strength == 0


# -- conditions ----------------------------------------------------------------------------------------------------


def test_a_condition_changes_what_is_drawn():
    torch.manual_seed(0)
    model = ConditionalVAE(condition=2, **SMALL)
    classes = one_hot(torch.tensor([0, 1] * 4), 2).float()
    images = classes[:, 1].view(-1, 1, 1, 1) * 0.8 + 0.1 + torch.zeros(8, 1, 32, 32)
    elbo = ELBOLoss()

    def loss(model):
        value = elbo(model(images, condition=classes), images, beta=5.0)["loss"]
        return value, value.detach()

    first, last = train(model, loss, steps=80)
    assert last < 0.5 * first
    with torch.inference_mode():
        dark, bright = model.eval().decode(torch.zeros(2, 8), torch.eye(2)).flatten(1).mean(dim=1)
    assert bright - dark > 0.4


def test_a_class_helps_to_score():
    torch.manual_seed(0)
    model, classes = ConditionalVAE(condition=2, **SMALL), torch.eye(2).repeat(4, 1)
    x = torch.linspace(0, 12.6, 32)
    rows, columns = (
        (0.5 + 0.4 * torch.sin(x)).expand(1, 1, 32, 32),
        (0.5 + 0.4 * torch.sin(x))[:, None].expand(1, 1, 32, 32),
    )
    images, elbo = torch.cat([rows, columns] * 4), ELBOLoss()

    def loss(model):
        value = elbo(model(images, condition=classes), images, beta=20.0)["loss"]
        return value, value.detach()

    train(model, loss, steps=80)
    with torch.inference_mode():
        right, wrong = (
            anomaly_map(images, model.eval()(images, condition=told).reconstruction).mean()
            for told in (classes, classes.flip(1))
        )
    assert right < 0.5 * wrong  # cloth of another class than it is said to be is anomalous


def test_a_condition_of_another_length_is_refused():
    model = build("conditional").eval()
    for call in (lambda c: model(waves(), condition=c), lambda c: model.decode(torch.zeros(8, 8), c)):
        with pytest.raises(ValueError, match=r"condition must have the shape \(B, 8\), got \(8, 3\)"):
            call(torch.zeros(8, 3))


def test_fabric_codes_tell_fabrics_apart_and_forgive_small_defects():
    x = torch.arange(64) * 2 * torch.pi
    fine, coarse = 0.5 + 0.3 * torch.sin(x / 4), 0.5 + 0.3 * torch.sin(x / 20)
    images = torch.stack([fine.expand(64, 64), coarse.expand(64, 64), fine.expand(64, 64)])[:, None].clone()
    images[2, :, 30:34, 30:34] = 1.0
    codes = fabric_code(images)
    assert 0 <= codes.min() <= codes.max() <= 1
    torch.testing.assert_close(codes[:, 2:].sum(dim=1), torch.ones(3))
    assert (codes[0] - codes[2]).abs().max() < 0.1 < (codes[0] - codes[1]).abs().max()
    assert fabric_code(torch.ones(1, 3, 16, 16)).isfinite().all()  # nothing but grey: no spectrum to share out


# -- two levels ----------------------------------------------------------------------------------------------------


def test_both_levels_are_used():
    model = build("hierarchical").eval()
    assert (model.top, model.latent_dim) == (4, 8)
    with torch.inference_mode():
        zero = torch.zeros(1, 8)
        for half in (slice(0, 4), slice(4, 8)):
            z = zero.clone()
            z[:, half] = 2.0
            assert not torch.equal(model.decode(z), model.decode(zero))


def test_what_was_encoded_is_decoded():
    model, images = build("hierarchical").eval(), waves()
    with torch.inference_mode():
        output = model(images, torch.Generator().manual_seed(0))
        torch.testing.assert_close(model.decode(output.z), output.reconstruction)


@pytest.mark.parametrize("settings", [{"widths": (8, 8)}, {"latent_dim": 1}])
def test_two_levels_need_room(settings):
    with pytest.raises(ValueError, match="at least three widths and two latent dimensions, got"):
        HierarchicalVAE(**SMALL | settings)


# -- the adversary -------------------------------------------------------------------------------------------------


def test_each_player_learns_from_its_own_loss_only():
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(channels=1, width=4)
    drawn = torch.rand(2, 1, 32, 32, requires_grad=True)
    judged, deceived = adversarial_losses(discriminator, waves()[:2], drawn)
    judged.backward(retain_graph=True)
    assert drawn.grad is None
    verdicts = [parameter.grad.clone() for parameter in discriminator.parameters()]
    deceived.backward()
    assert drawn.grad.abs().sum() > 0
    assert all(torch.equal(p.grad, g) for p, g in zip(discriminator.parameters(), verdicts, strict=True))
    torch.testing.assert_close(deceived, -discriminator(drawn).mean())


def test_the_game_trains_both():
    model, images, elbo = AdversarialVAE(build("plain")), waves(), ELBOLoss()
    before = [parameter.clone() for parameter in model.discriminator.parameters()]

    def loss(model):
        output = model(images)
        judged, deceived = adversarial_losses(model.discriminator, images, output.reconstruction)
        value = elbo(output, images, beta=0.1)["loss"]
        return value + images[0].numel() * (judged + 0.001 * deceived), value.detach()

    first, last = train(model, loss)
    assert last < 0.6 * first
    assert not any(torch.equal(p, b) for p, b in zip(model.discriminator.parameters(), before, strict=True))
