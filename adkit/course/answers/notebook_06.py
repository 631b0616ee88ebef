"""Exercises of notebook 06: the reparameterisation, the KL divergence, and what β stands for."""

import torch
from torch import Tensor

from adkit.course.answers import Exercise
from adkit.losses import kl_divergence
from adkit.models.vae import reparameterise


def nats(mu: Tensor, log_variance: Tensor) -> Tensor:
    """The KL divergence of each image from the standard normal, (B,), of μ and log σ² (B, D)."""
    return kl_divergence(mu, log_variance, reduction="none").sum(dim=1)


EXERCISES = {
    "1": Exercise(
        reparameterise,
        hint="The network gives log σ². What must be done to it to get σ? Try σ² = 4 on paper.",
        solution="""
def my_reparameterise(mu, log_variance, noise):
    sigma = (0.5 * log_variance).exp()  # half of a logarithm is the logarithm of the root
    return mu + sigma * noise
""",
        tolerance=1e-5,
        cases=[
            (torch.tensor([1.0, -2.0]), torch.tensor([0.0, 0.0]), torch.tensor([0.5, 1.0])),
            (torch.zeros(2, 3), torch.full((2, 3), 4.0).log(), torch.ones(2, 3)),
            (torch.tensor([[3.0]]), torch.tensor([[-6.0]]), torch.tensor([[-2.0]])),
        ],
        why="All chance is in the noise, so μ and σ get their gradients.",
    ),
    "2": Exercise(
        nats,
        hint="Write the formula for one dimension, then add up the dimensions of each image: `sum(dim=1)`.",
        solution="""
def my_kl(mu, log_variance):
    of_each_dimension = 0.5 * (mu**2 + log_variance.exp() - log_variance - 1)  # (B, D)
    return of_each_dimension.sum(dim=1)  # (B,)
""",
        tolerance=1e-5,
        cases=[
            (torch.zeros(2, 3), torch.zeros(2, 3)),
            (torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 2)),
            (torch.tensor([[2.0], [0.5]]), torch.tensor([[0.1], [3.0]]).log()),
        ],
        why="A mean over the dimensions would make β depend on how many there are.",
    ),
    "3": Exercise(
        0.02,
        hint="Multiply the negative log-likelihood by twice the variance: which factor then stands before the KL?",
        solution="my_weight = 2 * 0.1**2",
        why="β = 2 σ²: the course's β of 0.02 takes the decoder to be wrong by 0.1, a tenth of the way to white.",
        wrong=[
            (0.01, "this is the variance; compare the factor before the squared error with the one before the KL"),
            (0.2, "this is twice the standard deviation"),
            (0.005, "half of the variance; the factor stands on the other side"),
        ],
    ),
}
