"""What is normal for a place: the training images, its own image, or both."""

import numpy as np
import pytest
import torch

from adkit.models.reference import REFERENCES, ReferenceModel, image_centre


@pytest.fixture(scope="module")
def shifted():
    """Images whose centres lie far apart beside what varies inside each: (5 images, 400 places, 3 features)."""
    draw = torch.Generator().manual_seed(0)
    within = torch.randn(5, 400, 3, generator=draw) * torch.tensor([1.0, 2.0, 0.5])
    return within + 20 * torch.randn(5, 1, 3, generator=draw)


@pytest.fixture(scope="module")
def model(shifted):
    return ReferenceModel.fit(list(shifted), torch.stack([image_centre(image) for image in shifted]))


def test_a_distance_to_the_own_image_is_the_mahalanobis_distance_of_what_varies_inside(shifted, model):
    centre = image_centre(shifted[0])
    residual = torch.cat([image - image_centre(image) for image in shifted]).double().numpy()
    inverse = np.linalg.inv(np.cov(residual.T, bias=True))
    places = (shifted[0] - centre).double().numpy()
    expected = np.sqrt(np.einsum("nd,de,ne->n", places, inverse, places))
    np.testing.assert_allclose(model.distance(shifted[0], centre, "image"), expected, rtol=0.02)


def test_the_own_image_sees_what_the_training_mean_cannot(shifted, model):
    centre = image_centre(shifted[2])
    odd = centre + torch.tensor([[0.0, 0.0, 5.0]])  # ten deviations inside an image, a quarter of one between images
    assert model.distance(odd, centre, "image") > 8
    assert model.distance(odd, centre, "train") < 3


def test_both_adds_how_odd_the_image_is_as_a_whole(shifted, model):
    centre = image_centre(shifted[1])
    far = torch.tensor([300.0, -300.0, 300.0])
    places = shifted[1][:50]
    torch.testing.assert_close(
        model.distance(places + far, centre + far, "image"),
        model.distance(places, centre, "image"),
        rtol=1e-3,
        atol=1e-3,
    )
    assert (model.distance(places + far, centre + far, "both") > model.distance(places, centre, "both") + 5).all()


def test_few_images_say_nothing_of_how_images_differ(shifted):
    model = ReferenceModel.fit([shifted[0]], image_centre(shifted[0])[None])
    for reference in REFERENCES:
        assert torch.isfinite(model.distance(shifted[0], image_centre(shifted[0]), reference)).all()


def test_half_of_an_image_may_be_odd_before_its_centre_moves_far():
    places = torch.zeros(100, 2)
    places[:40] = 1000.0
    assert torch.equal(image_centre(places), torch.zeros(2))
