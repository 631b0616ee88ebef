"""What notebooks 02 and 03 measure with: looks of defects, a search by left-out types, peeking, scale, skips."""

import numpy as np
import pytest
import torch

from adkit import Experiment, load_dataset, run
from adkit.defects.realism import covered, defect_windows, looks_in, looks_of, region_looks
from adkit.experiments.studies import by_scale, defect_search, peeking
from adkit.experiments.studies.defect_search import DefectSearch, parted, search_defects
from adkit.models.autoencoder import Autoencoder
from adkit.models.skips import scaled_skips, skip_sizes

CLOTH = np.random.default_rng(0).normal(0.5, 0.05, (96, 96))
TINY = {"width": 4, "steps": 4, "crop": 32, "skip": "none", "defects": None}


def box(top, left, height, width):
    mask = np.zeros(CLOTH.shape, bool)
    mask[top : top + height, left : left + width] = True
    return mask


# ---- looks of defects


def test_size_contrast_and_grain_are_those_that_were_made():
    mask = box(30, 20, 12, 40)
    light = region_looks(CLOTH + 0.2 * mask, mask)[0]
    assert light.size == 40
    assert light.contrast == pytest.approx(4, abs=0.4)
    assert abs(light.grain) < 0.2
    flat = region_looks(np.where(mask, 0.5 + 0.2 * (CLOTH - 0.5), CLOTH), mask)[0]
    assert flat.grain == pytest.approx(np.log2(0.2), abs=0.2)
    assert region_looks(1 - (CLOTH + 0.2 * mask), mask)[0].contrast == pytest.approx(-light.contrast)


def test_each_region_counts_and_one_without_surroundings_does_not():
    mask = box(5, 5, 4, 4) | box(40, 40, 8, 6) | box(9, 9, 3, 3)  # the third touches the first at a corner
    assert [look.size for look in region_looks(CLOTH, mask)] == [7, 8]
    assert region_looks(CLOTH, np.ones_like(mask)) == []
    assert region_looks(CLOTH, box(10, 10, 1, 1))[0].grain == 0


def test_images_and_masks_must_fit():
    with pytest.raises(ValueError, match="of one size, got"):
        region_looks(CLOTH, np.zeros((4, 4), bool))
    assert looks_of([CLOTH[None]], [box(9, 9, 5, 5)])["contrast"].shape == (1,)


def test_looks_of_a_data_set_are_those_of_its_masks(splits):
    looks = looks_in(splits.test)
    assert len(looks["size"]) >= 40
    assert looks["size"].max() <= 64
    assert len(looks_in(splits.validation)["size"]) == 0


def test_covered_counts_what_lies_in_the_middle_of_the_other():
    assert covered(np.array([5.0, 0.2, 11.0]), np.linspace(0, 10, 101)) == pytest.approx(1 / 3)
    assert np.isnan(covered(np.zeros(0), np.ones(3)))


def test_windows_stay_inside_the_image_and_hold_the_largest_region():
    image = np.zeros((96, 96))
    image[90:, 2:12] = 1
    (window,) = defect_windows([image, image], [image > 0, np.zeros((96, 96), bool)], side=32)
    assert window.shape == (32, 32)
    assert window.sum() == 60


# ---- the search


def test_types_are_parted_in_two_and_another_seed_parts_otherwise():
    types = list("abcdefghij")
    halves = [parted(types, seed) for seed in range(5)]
    assert all(sorted(a + b) == types and len(a) == 5 for a, b in halves)
    assert len({tuple(a) for a, _ in halves}) > 1
    with pytest.raises(ValueError, match="at least two defect types"):
        parted(["mask"], 0)


def test_a_search_trains_with_one_half_and_judges_by_the_other(monkeypatch):
    asked = []
    monkeypatch.setattr(defect_search, "detector_of", lambda experiment: experiment)

    def quality(experiment, normals, types):
        asked.append((experiment.settings["defects"]["defect_types"], experiment.settings["repair"], list(types)))
        return dict.fromkeys(types, 0.5)

    monkeypatch.setattr(defect_search, "quality_by_type", quality)
    settings = {"a": {"size": [0.1, 0.2]}, "b": {"size": [0.1, 0.2], "repair": 4.0}}
    found = search_defects(Experiment(settings=TINY), settings, ["mask", "stain"], [0, 1], None)
    assert found.values.tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert [repair for _, repair, _ in asked] == [1.0, 1.0, 4.0, 4.0]
    assert all(not set(trained) & set(judges) for trained, _, judges in asked)
    assert settings["b"]["repair"] == 4.0  # what was given stays as it was
    with pytest.raises(ValueError, match="needs settings and seeds"):
        search_defects(Experiment(settings=TINY), {}, ["mask", "stain"], [0], None)


def test_types_are_judged_one_by_one_on_the_same_defects_each_time(splits):
    class Knows:
        """Sees how far an image is from what it was."""

        def anomaly_map(self, images):
            clean = torch.stack([splits.validation[i]["image"] for i in range(3)])
            return (images - clean).abs().amin(0)

    judged = [defect_search.quality_by_type(Knows(), splits.validation.subset(range(3)), ["mask"]) for _ in range(2)]
    assert judged[0] == judged[1]
    assert judged[0]["mask"] > 0.9


def test_a_type_that_shows_nothing_has_no_quality(splits, monkeypatch):
    nothing = np.zeros((32, 64), bool)
    monkeypatch.setattr(defect_search, "synthetic_frames", lambda *_: [(torch.zeros(1, 1, 32, 64), nothing)])

    class Flat:
        def anomaly_map(self, images):
            return images[:, 0]

    assert np.isnan(defect_search.quality_by_type(Flat(), splits.validation, ["noise"])["noise"])


def test_what_cannot_be_told_from_the_best_is_as_good():
    search = DefectSearch(("low", "close", "best"), np.array([[0.1, 0.2, 0.1], [0.29, 0.52, 0.29], [0.3, 0.5, 0.31]]))
    assert search.best == "best"
    assert search.as_good_as_best() == ["close", "best"]
    assert DefectSearch(("one", "two"), np.array([[0.1], [0.2]])).as_good_as_best() == ["one", "two"]


# ---- peeking


def test_who_peeks_among_equals_reports_too_much():
    scores = np.random.default_rng(1).random((12, 60))
    found = peeking.peek(scores, [0, 1] * 30, honest=3, n=100)
    reported, unseen, honest = (found[case].value for case in peeking.CASES)
    assert reported > 0.55
    assert unseen == pytest.approx(0.5, abs=0.1)
    assert honest == pytest.approx(0.5, abs=0.12)
    with pytest.raises(ValueError, match="one of 12 candidates"):
        peeking.peek(scores, [0, 1] * 30, honest=12)


# ---- scale, and other test images


@pytest.fixture(scope="module")
def crossed():
    return load_dataset(
        "textile", category="denim", image_size=(64, 64), types=["dark", "bright"], sizes=[24, 40], repeats=2
    ).test.subset([0, 1, *range(50, 58)])


def test_a_map_that_knows_the_mask_finds_all_and_one_that_knows_nothing_finds_as_much_as_it_flags(crossed):
    masks = {i: torch.as_tensor(crossed[i]["mask"]).float() for i in range(len(crossed))}
    images = [crossed[i]["image"] for i in range(len(crossed))]

    def knows(batch):
        (i,) = [k for k, image in enumerate(images) if torch.equal(image, batch[0])]
        return masks[i][None] + 1e-3 * batch[:, 0]

    shares = by_scale.found_shares(knows, crossed)
    assert np.isnan(shares[:2]).all()
    assert (shares[2:] == 1).all()
    noise = by_scale.found_shares(lambda batch: torch.rand_like(batch[:, 0]), crossed, fpr=0.2)
    assert np.nanmean(noise) == pytest.approx(0.2, abs=0.08)
    with pytest.raises(ValueError, match="has none"):
        by_scale.found_shares(knows, crossed.subset([4, 5]))
    with pytest.raises(ValueError, match=r"lie in \(0, 1\)"):
        by_scale.found_shares(knows, crossed, fpr=0)


def test_frames_of_a_cell_have_its_type_and_size(crossed):
    frames = by_scale.frames_of(crossed, "dark", 40)
    assert [crossed.details[i]["size"] for i in frames] == [40, 40]
    assert {crossed.kinds[i] for i in frames} == {"dark"}
    assert len(by_scale.frames_of(crossed)) == 8
    shares = np.array([[float(details["size"] or 0) for details in crossed.details]])
    assert by_scale.share_table(shares, crossed, ["dark", "bright"], [24, 40]) == [[24, 40], [24, 40]]


def test_a_difference_is_shown_where_it_holds_in_every_frame_and_not_where_it_is_noise():
    noise = np.random.default_rng(2).normal(0, 0.1, (2, 3, 30))
    frames = np.arange(30)
    assert by_scale.share_difference(0.7 + noise[0], 0.4 + noise[1], frames).shown
    assert not by_scale.share_difference(0.5 + noise[0], 0.5 + noise[1], frames).shown
    with pytest.raises(ValueError, match="no frame"):
        by_scale.share_difference(noise[0], noise[1], frames[:0])


def test_rejudged_results_are_those_of_other_images():
    settings = TINY | {"steps": 2}
    result = run(Experiment(settings=settings, image_size=(32, 64), category="denim"), quiet=True)
    (same,) = by_scale.rejudged([result], result.experiment.splits().test)
    assert same.evaluation.pro == result.evaluation.pro
    assert np.array_equal(same.draws.of("pro"), result.draws.of("pro"))


# ---- skips


def test_cut_skips_leave_what_the_bottleneck_knows():
    torch.manual_seed(0)
    model, images = Autoencoder(width=4, skip="add").eval(), torch.rand(1, 1, 32, 32)
    with torch.no_grad(), scaled_skips(model, 0.0):
        cut = model(images)
    for join in model.join:
        join.kind = "none"
    with torch.no_grad():
        assert torch.equal(cut, model(images))


def test_a_network_without_skips_has_sizes_of_none_of_them():
    assert skip_sizes(Autoencoder(width=4, skip="none"), torch.rand(1, 1, 32, 32)) == {}
    assert list(skip_sizes(Autoencoder(width=4, skip="concat", skip_levels=[1]), torch.rand(1, 1, 32, 32))) == [1]
