"""How often: weights, counts, clean images, kinds of one's own, and every refusal."""

import pytest
import torch

from adkit.defects import DEFECT_TYPES, Line, Noise, Perlin, Stain, SyntheticDefects, build_defects
from adkit.defects.mixture import overlay
from adkit.runtime import generator
from tests.test_defects_contract import texture

IMAGES = texture((4, 1, 32, 32))


def square(images, sampler):
    """Writes into its images, changes pixels outside its region as well, and leaves [0, 1]."""
    images[:] = 7.0
    region = torch.zeros(images.shape[0], *images.shape[2:], dtype=torch.bool)
    region[:, 3:6, 4:9] = True
    return images, region


def test_all_ten_kinds_by_default():
    defects = SyntheticDefects()
    assert defects.defect_types == tuple(DEFECT_TYPES)
    assert len(defects.defect_types) == 10
    kind = defects(texture((256, 1, 16, 16)), generator=generator(0))[2]
    assert set(kind.tolist()) - {-1} == set(range(10))


def test_the_older_name_kinds_means_the_same():
    old, new = SyntheticDefects(kinds=["stain", "line"]), SyntheticDefects(defect_types=["stain", "line"])
    assert old.kinds == old.defect_types == new.kinds == new.defect_types == ("stain", "line")
    results = [defects(IMAGES, generator=generator(3)) for defects in (old, new)]
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))
    literal = [build_defects({name: ["stain"], "clean": 0.5}) for name in ("kinds", "defect_types")]
    assert [defects.defect_types for defects in literal] == [("stain",)] * 2
    for twice in (SyntheticDefects, lambda **names: build_defects(names)):
        with pytest.raises(ValueError, match="the same argument under two names; pass defect_types alone"):
            twice(kinds=["stain"], defect_types=["stain"])


def test_mixtures_from_literals():
    assert build_defects("all").defect_types == build_defects({}).defect_types == tuple(DEFECT_TYPES)
    assert build_defects("line").defect_types == ("line",)
    assert build_defects("recommended").size == (0.1, 0.4)
    given = SyntheticDefects(["line"])
    assert build_defects(given) is given
    assert build_defects(None) is None
    with pytest.raises(ValueError, match="unknown argument 'colour' for synthetic defects; known: defect_types, weig"):
        build_defects({"colour": 1})
    with pytest.raises(ValueError, match="unknown defects 'blob'; known: all, recommended, or some of mask"):
        build_defects("blob")


def test_an_instance_takes_the_place_of_its_name():
    faint = Perlin(opacity=(0.0, 0.0))
    defects = build_defects({"defect_types": ["perlin", "line"], "clean": 0.5}, instances={"perlin": faint})
    assert (defects.defect_types, defects.clean) == (("perlin", "line"), 0.5)
    kind = build_defects(["perlin"], instances={"perlin": faint, "blur": faint})(IMAGES, generator=generator(0))[2]
    assert (kind == -1).all()  # a texture that is not blended in cannot be seen
    assert build_defects(["line"], instances={"perlin": faint}).defect_types == ("line",)
    named = build_defects({"kinds": {"mine": "stain"}}, instances={"mine": faint})
    assert named.defect_types == ("mine",)


def test_weights_are_respected():
    defects = SyntheticDefects(["mask", "stain", "noise"], weights=(3, 0, 1))
    kind = defects(texture((600, 1, 16, 16)), generator=generator(0))[2]
    share = torch.bincount(kind[kind >= 0], minlength=3) / (kind >= 0).sum()
    assert share[1] == 0
    assert abs(share[0] - 0.75) < 0.06


def test_clean_images_stay_as_they_are():
    images = texture((400, 1, 16, 16))
    corrupted, mask, kind = SyntheticDefects(["mask"], clean=0.3)(images, generator=generator(0))
    clean = kind == -1
    assert abs(clean.float().mean() - 0.3) < 0.08
    assert torch.equal(corrupted[clean], images[clean])
    assert not mask[clean].any()


def test_all_clean_moves_the_generator_on():
    draw = generator(0)
    before = draw.get_state()
    corrupted, mask, kind = SyntheticDefects(clean=1.0)(IMAGES, generator=draw)
    assert torch.equal(corrupted, IMAGES)
    assert corrupted.data_ptr() != IMAGES.data_ptr()
    assert not mask.any()
    assert kind.tolist() == [-1] * 4
    assert not torch.equal(before, draw.get_state())


def test_count_is_the_number_of_defects():
    def dot(images, sampler):
        region = torch.zeros(images.shape[0], 64, 64, dtype=torch.bool)
        centre = sampler.centres().long()
        region[torch.arange(sampler.n), centre[:, 0], centre[:, 1]] = True
        return torch.zeros_like(images), region

    mask = SyntheticDefects([dot], count=(2, 4))(texture((200, 1, 64, 64)), generator=generator(0))[1]
    found = mask.sum((1, 2))
    assert found.max() == 4
    assert found.min() >= 1  # two may fall on one pixel
    assert abs(found.float().mean() - 3) < 0.2


def test_size_and_contrast_are_ranges():
    def area(size):
        return SyntheticDefects(["stain"], size=size)(texture((32, 1, 128, 128)), generator=generator(0))[1].sum()

    assert area((0.3, 0.3)) > 10 * area((0.05, 0.05))
    images = texture((32, 1, 64, 64))
    faint, plain = (
        (SyntheticDefects(["stain"], contrast=(c, c), count=(1, 1))(images, generator=generator(0))[0] - images)
        .abs()
        .max()
        for c in (0.1, 0.6)
    )
    assert 4 < plain / faint < 8


def test_invisible_defects_are_taken_back():
    corrupted, mask, kind = SyntheticDefects(["stain", "line", "brightness"], contrast=(0, 0.001))(
        IMAGES, generator=generator(0)
    )
    assert torch.equal(corrupted, IMAGES)
    assert not mask.any()
    assert (kind == -1).all()


def test_only_the_invisible_region_of_an_image_is_taken_back():
    def corner(images, sampler):  # the first defect of each image is plain, the second cannot be seen
        first = torch.arange(sampler.n)[:, None, None] % 2 == 0
        region = torch.zeros(sampler.n, 32, 32, dtype=torch.bool)
        region[::2, :4, :4] = True
        region[1::2, 20:, 20:] = True
        return images + torch.where(first, 0.3, 1e-4)[:, None], region

    corrupted, mask, kind = SyntheticDefects([corner], count=(2, 2))(IMAGES * 0.5, generator=generator(0))
    assert mask[:, :4, :4].all()
    assert mask.sum() == 4 * 16
    assert torch.equal(corrupted[:, :, 20:, 20:], IMAGES[:, :, 20:, 20:] * 0.5)
    assert (kind == 0).all()


def test_where_defects_overlap_the_stronger_change_shows():
    images = torch.full((2, 1, 1, 3), 0.5)
    change = torch.tensor([[-0.2, 0.1, 0.0], [0.1, -0.3, 0.0], [0.2, 0.0, 0.0]])[:, None, None, :]
    layers = [(torch.tensor([0, 2]), torch.tensor([0, 1])), (torch.tensor([1]), torch.tensor([0]))]
    expected = torch.tensor([[0.3, 0.2, 0.5], [0.7, 0.5, 0.5]])
    assert torch.allclose(overlay(images, change, layers)[:, 0, 0], expected)


def test_one_defect_an_image_needs_no_overlay_and_looks_the_same():
    images, change = IMAGES * 0.5, torch.linspace(-0.2, 0.2, IMAGES.numel()).view_as(IMAGES)
    one_layer = [(torch.arange(4), torch.arange(4))]
    assert torch.equal(overlay(images, change.clone(), []), overlay(images, change.clone(), one_layer))


def test_ones_own_kind_is_held_to_the_contract():
    images = IMAGES.clone()
    corrupted, mask, kind = SyntheticDefects([square], count=(1, 1))(images, generator=generator(0))
    assert torch.equal(images, IMAGES)
    assert mask.sum((1, 2)).tolist() == [15] * 4
    assert (corrupted[:, 0][mask] == 1).all()
    assert torch.equal(corrupted[:, 0][~mask], IMAGES[:, 0][~mask])
    assert (kind == 0).all()


def test_names_of_kinds():
    assert SyntheticDefects(["line", Stain(edge=0.2), square]).defect_types == ("line", "stain", "square")
    named = {"faint": Stain(edge=1.0), "hard": Stain(edge=0.1), "mine": square, "noise": "noise"}
    assert SyntheticDefects(named).defect_types == ("faint", "hard", "mine", "noise")
    assert SyntheticDefects([type("Thing", (), {"__call__": square})()]).defect_types == ("Thing",)


def test_noise_everywhere_has_a_kind_and_an_empty_mask():
    both = {"global": Noise(where="everywhere"), "line": Line()}
    images = texture((32, 1, 32, 32))
    corrupted, mask, kind = SyntheticDefects(both)(images, generator=generator(0))
    everywhere = kind == 0
    assert 0 < everywhere.sum() < 32
    assert not mask[everywhere].any()
    assert ((corrupted - images).abs().flatten(1).mean(1)[everywhere] > 1 / 255).all()
    assert mask[kind == 1].flatten(1).any(1).all()


@pytest.mark.parametrize("settings, message", [
    ({"defect_types": ["blob"]}, "a defect type must be one of mask, noise"),
    ({"defect_types": []}, "at least one defect type"),
    ({"defect_types": "stain"}, "must be a list or a dict"),
    ({"defect_types": [3]}, "a name, an instance or a callable"),
    ({"defect_types": [Stain]}, "a name, an instance or a callable"),
    ({"defect_types": ["stain", Stain(edge=0.2)]}, "give a dict name -> defect type"),
    ({"weights": [1.0]}, "weights must be 10 numbers"),
    ({"defect_types": ["stain", "line"], "weights": [2, -1]}, "none negative"),
    ({"defect_types": ["stain"], "weights": [0]}, "one positive"),
    ({"count": (0, 2)}, "count must be"),
    ({"count": (1.5, 2)}, "two integers"),
    ({"count": 2}, "count must be"),
    ({"clean": 1.5}, "clean must be a number in"),
    ({"size": (0.2, 0.1)}, "size must be"),
    ({"size": "ab"}, "size must be"),
    ({"contrast": (0.1, 1.1)}, "contrast must be"),
])  # fmt: skip
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        SyntheticDefects(**settings)


@pytest.mark.parametrize("images, error, message", [
    (torch.zeros(1, 1, 8, 8, dtype=torch.uint8), TypeError, "must be float32"),
    (torch.zeros(1, 1, 8, 8, dtype=torch.float64), TypeError, "must be float32"),
    (torch.zeros(1, 8, 8), ValueError, r"shape \(B, C, H, W\)"),
    (torch.zeros(0, 1, 8, 8), ValueError, r"shape \(B, C, H, W\)"),
])  # fmt: skip
def test_images_are_checked(images, error, message):
    with pytest.raises(error, match=message):
        SyntheticDefects()(images)


@pytest.mark.parametrize("foreground", [torch.ones(4, 32, 32), torch.ones(4, 32, 31, dtype=torch.bool)])
def test_foreground_is_checked(foreground):
    with pytest.raises(ValueError, match="foreground must be bool"):
        SyntheticDefects()(IMAGES, foreground)


def test_devices_are_checked():
    with pytest.raises(ValueError, match="foreground must be on cpu"):
        SyntheticDefects()(IMAGES, torch.ones(4, 32, 32, dtype=torch.bool, device="meta"))


@pytest.mark.parametrize("images", [IMAGES * 255, IMAGES - 1, IMAGES * float("nan")])
def test_values_are_checked_on_request(images):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        SyntheticDefects(check=True)(images)
    SyntheticDefects(check=True)(IMAGES)


@pytest.mark.parametrize("kind, message", [
    (lambda images, sampler: (images[:, :, 1:], images[:, 0] > 0), "must return float32 images"),
    (lambda images, sampler: (images.double(), images[:, 0] > 0), "must return float32 images"),
    (lambda images, sampler: (images, images > 0), "must return a bool region"),
    (lambda images, sampler: (images, images[:, 0]), "must return a bool region"),
])  # fmt: skip
def test_what_a_kind_returns_is_checked(kind, message):
    with pytest.raises(ValueError, match=message):
        SyntheticDefects({"mine": kind})(IMAGES)
