"""The VAE: the reference network layer by layer, other sizes, sampling, and its loss against torch.distributions."""

import math
from itertools import pairwise

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from adkit.losses import build_loss
from adkit.models import count_parameters
from adkit.models.elbo import ELBOLoss, cyclical_annealing, linear_annealing, no_annealing
from adkit.models.vae import VAE, VAEOutput, reparameterise


def small(**settings) -> VAE:
    torch.manual_seed(0)
    return VAE(**{"image_size": (32, 48), "channels": 1, "latent_dim": 6, "widths": (4, 8)} | settings).eval()


# -- the network ---------------------------------------------------------------------------------------------------


def test_the_reference_network_layer_by_layer():
    model = VAE.reference().eval()
    shapes = []
    for layer in (*model.down, model.mu, model.log_variance, model.expand, *model.up, model.head):
        layer.register_forward_hook(lambda layer, inputs, output: shapes.append(tuple(output.shape[1:])))
    with torch.inference_mode():
        output = model(torch.rand(1, 3, 224, 224))
    assert shapes == [
        (32, 112, 112), (64, 56, 56), (128, 28, 28), (256, 14, 14), (512, 7, 7),
        (128,), (128,), (25_088,),
        (256, 14, 14), (128, 28, 28), (64, 56, 56), (32, 112, 112), (3, 224, 224),
    ]  # fmt: skip
    assert [[type(one).__name__ for one in block] for block in model.down] == [["Conv2d", "BatchNorm2d", "ReLU"]] * 5
    assert [[type(one).__name__ for one in block] for block in model.up] == [
        ["DoublingConv", "BatchNorm2d", "ReLU"]
    ] * 4
    assert output.reconstruction.shape == (1, 3, 224, 224)
    assert 0 < output.reconstruction.min() <= output.reconstruction.max() < 1


def test_the_reference_network_has_so_many_parameters():
    widths = (3, 32, 64, 128, 256, 512)
    convolutions = sum(16 * one * other for one, other in pairwise(widths))
    norms = 2 * sum(widths[1:]) + 2 * sum(widths[1:-1])
    heads, expand = 2 * (25_088 + 1) * 128, (128 + 1) * 25_088
    expected = 2 * convolutions + norms + heads + expand + 3  # the last layer alone has a bias
    assert count_parameters(VAE.reference()) == expected == 15_235_715


@pytest.mark.parametrize(
    "size, channels, latent_dim, widths, grid",
    [
        ((224, 224), 3, 128, (32, 64, 128, 256, 512), (7, 7)),
        ((176, 976), 1, 32, (32, 64, 128, 256, 512), (6, 31)),  # 176 is 5.5 · 32: mirrored, and cut off again
        ((256, 256), 1, 256, (32, 64, 128, 256, 512), (8, 8)),
        ((176, 976), 1, 64, (8, 16, 32, 64), (11, 61)),
        ((33, 1), 3, 1, (4,), (17, 1)),
    ],
)
def test_shapes(size, channels, latent_dim, widths, grid):
    with torch.device("meta"):
        model = VAE(size, channels, latent_dim, widths)
        output = model(torch.zeros(2, channels, *size))
    assert model.grid == grid
    assert output.reconstruction.shape == (2, channels, *size)
    assert {part.shape for part in output[1:]} == {(2, latent_dim)}


def test_all_parameters_learn():
    model = small().train()
    images = torch.rand(4, 1, 32, 48)
    ELBOLoss()(model(images), images)["loss"].backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_it_overfits_eight_images():
    x = torch.linspace(0, 12.6, 32)
    waves = [0.5 + 0.4 * torch.sin((k + 1) / 2 * x)[None, :] * torch.cos(x)[:, None] for k in range(8)]
    images = torch.stack(waves)[:, None]
    model, loss = small(image_size=(32, 32), latent_dim=8, widths=(16, 32)).train(), ELBOLoss()
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    values = []
    for _ in range(120):
        parts = loss(model(images), images, beta=0.1)
        optimiser.zero_grad()
        parts["loss"].backward()
        optimiser.step()
        values.append(parts["reconstruction"].item())
    assert values[-1] < 0.1 * values[0]


# -- sampling ------------------------------------------------------------------------------------------------------


def test_evaluation_takes_the_mean_and_training_draws():
    model, images = small(), torch.rand(2, 1, 32, 48)
    first, second = model(images), model(images)
    assert torch.equal(first.z, first.mu)
    assert torch.equal(first.reconstruction, second.reconstruction)
    drawn = [model(images, torch.Generator().manual_seed(seed)).z for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    model.train()
    assert not torch.equal(model(images).z, model(images).z)


def test_samples_have_the_mean_and_spread_of_the_code():
    mu, log_variance = torch.tensor([[0.5, -2.0]]), torch.tensor([[0.0, math.log(9.0)]])
    noise = torch.randn(100_000, 2, generator=torch.Generator().manual_seed(0))
    z = reparameterise(mu, log_variance, noise)
    torch.testing.assert_close(z.mean(dim=0), mu[0], atol=0.05, rtol=0)
    torch.testing.assert_close(z.std(dim=0), torch.tensor([1.0, 3.0]), atol=0.05, rtol=0)


def test_gradients_pass_through_the_sample():
    mu, log_variance = torch.zeros(1, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    noise = torch.tensor([[1.0, -2.0]])
    reparameterise(mu, log_variance, noise).sum().backward()
    assert mu.grad.tolist() == [[1.0, 1.0]]
    assert log_variance.grad.tolist() == [[0.5, -1.0]]  # d σ / d log σ² = σ / 2


@torch.inference_mode()
def test_several_samples_are_averaged_and_shared_by_the_batch():
    model, images = small(), torch.rand(3, 1, 32, 48)
    assert torch.equal(model.reconstruct(images), model(images).reconstruction)
    mean = model.reconstruct(images, 4, torch.Generator().manual_seed(0))
    noise = torch.randn(4, 1, 6, generator=torch.Generator().manual_seed(0))
    expected = sum(model.trace(images, one).reconstruction for one in noise) / 4
    torch.testing.assert_close(mean, expected)
    alone = model.reconstruct(images[1:2], 4, torch.Generator().manual_seed(0))
    torch.testing.assert_close(alone, mean[1:2])


# -- the loss ------------------------------------------------------------------------------------------------------


def test_the_loss_is_the_negative_elbo_of_torch_distributions():
    draw = torch.Generator().manual_seed(0)
    images, reconstructed = torch.rand(2, 3, 2, 5, 5, generator=draw, dtype=torch.double)
    mu, log_variance = torch.randn(2, 3, 7, generator=draw, dtype=torch.double)
    parts = ELBOLoss()(VAEOutput(reconstructed, mu, log_variance, mu), images)
    code = Normal(mu, (0.5 * log_variance).exp())
    kl = kl_divergence(code, Normal(torch.zeros_like(mu), torch.ones_like(mu))).sum(dim=1).mean()
    likelihood = Normal(reconstructed, math.sqrt(0.5)).log_prob(images).flatten(1).sum(dim=1).mean()
    torch.testing.assert_close(parts["kl"], kl)
    torch.testing.assert_close(parts["loss"] - images[0].numel() / 2 * -math.log(math.pi), kl - likelihood)
    half = ELBOLoss()(VAEOutput(reconstructed, mu, log_variance, mu), images, beta=0.5)
    torch.testing.assert_close(half["loss"], parts["reconstruction"] + 0.5 * kl)


def test_components_come_in_the_unit_of_an_image():
    images, reconstructed = torch.rand(2, 2, 1, 16, 16)
    zeros = torch.zeros(2, 3)
    parts = ELBOLoss("mse + 0.5*ssim")(VAEOutput(reconstructed, zeros, zeros, zeros), images)
    assert parts["mse"].item() == pytest.approx((images - reconstructed).square().sum().item() / 2, rel=1e-5)
    assert parts["reconstruction"].item() == pytest.approx((parts["mse"] + 0.5 * parts["ssim"]).item(), rel=1e-5)
    own = ELBOLoss(torch.nn.MSELoss())(VAEOutput(reconstructed, zeros, zeros, zeros), images)
    torch.testing.assert_close(own["reconstruction"], parts["mse"])
    assert own.keys() == {"loss", "reconstruction", "kl"}
    assert build_loss("mse")(images, images) == 0


def test_free_bits_cost_nothing_and_are_reported():
    mu = torch.tensor([[1.0, 0.1], [1.0, 0.1]], requires_grad=True)
    images = torch.zeros(2, 1, 4, 4)
    parts = ELBOLoss(free_bits=0.2)(VAEOutput(images, mu, torch.zeros(2, 2), mu), images, beta=3.0)
    assert parts["kl"].item() == pytest.approx(0.5 + 0.005)
    assert parts["loss"].item() == pytest.approx(3 * (0.5 + 0.2))
    parts["loss"].backward()
    assert mu.grad[:, 1].tolist() == [0.0, 0.0]
    assert mu.grad[:, 0].tolist() == pytest.approx([1.5, 1.5])


def test_annealing():
    assert {no_annealing(step, 10) for step in range(10)} == {1.0}
    assert [linear_annealing(step, 10, warmup=0.5) for step in (0, 1, 4, 5, 9)] == [0.0, 0.2, 0.8, 1.0, 1.0]
    shares = [cyclical_annealing(step, 400, warmup=0.5, cycles=4) for step in range(400)]
    assert [step for step, share in enumerate(shares) if share == 0] == [0, 100, 200, 300]
    assert sum(share == 1 for share in shares) == 200
    assert shares[:100] == shares[300:]
    assert cyclical_annealing(5, 100, warmup=0.5, cycles=1) == linear_annealing(5, 100, warmup=0.5)


# -- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", [{"image_size": (0, 4)}, {"channels": 1.5}, {"latent_dim": True}, {"widths": ()}, {"widths": (4, -8)}]
)
def test_sizes_must_be_positive_integers(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))} must be positive integers, got"):
        VAE(**settings)


def test_images_of_another_size_are_refused():
    for shape in ((1, 1, 32, 32), (1, 3, 32, 48)):
        with pytest.raises(ValueError, match=r"\('B', 1, 32, 48\), got .*: the linear heads fix the size; resize or"):
            small()(torch.zeros(shape))


@pytest.mark.parametrize("free_bits", [-0.1, math.nan])
def test_free_bits_are_not_negative(free_bits):
    with pytest.raises(ValueError, match="free_bits must be 0 or a positive number of nats"):
        ELBOLoss(free_bits=free_bits)
