"""Advice on trial: networks with one part changed, trials over seeds, snapshots, the bound by labels, and the list."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from adkit import VAEDetector, over_seeds
from adkit.diagnose import classic_list as listed
from adkit.diagnose import plateau
from adkit.diagnose.altered_vae import AlteredVAE, decoder_of, encoder_of, noisy_input, without_norm
from adkit.diagnose.labelled_bound import Patches, classifier_scores, cut_patches, map_scores, patch_aurocs
from adkit.diagnose.latent_statistics import Codes
from adkit.diagnose.root_causes import SYMPTOMS
from adkit.diagnose.snapshots import Snapshots
from adkit.diagnose.trials import gaps, judged_trial, over_trials, recipe_row, verdict
from adkit.metrics.significance import Difference
from adkit.models.vae import VAE
from tests.conftest import TINY_VAE

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHANGES = {
    "decoder": decoder_of((2, 2, 2)),
    "encoder": encoder_of((4, 4)),
    "no norm": without_norm(),
    "no norm, initialised": without_norm(initialise=True),
    "noise": noisy_input(0.05),
}


@pytest.fixture(scope="module")
def few(splits):
    return splits.validation.subset(range(2))


@pytest.fixture(scope="module")
def altered(splits):
    return AlteredVAE(without_norm(), **TINY_VAE).fit(splits.train, splits.validation)


# -- networks with one part changed ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_network_still_encodes_decodes_and_learns(name):
    network = CHANGES[name](VAE((32, 32), 1, 4, (4, 4, 8))).train()
    images = torch.rand(2, 1, 32, 32)
    output = network(images)
    assert output.reconstruction.shape == images.shape
    assert output.mu.shape == (2, 4)
    output.reconstruction.sum().backward()
    assert all(parameter.grad is not None for part in (network.down, network.up) for parameter in part.parameters())


def test_noise_is_added_in_training_alone():
    network, images = noisy_input(0.3)(VAE((32, 32), 1, 4, (4, 8))), torch.full((1, 1, 32, 32), 0.5)
    torch.manual_seed(0)
    first, second = (network.train().features(images)[0] for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(*(network.eval().features(images)[0] for _ in range(2)))


def test_without_a_change_it_is_the_plain_vae(splits, altered):
    settings = dict(TINY_VAE) | {"seed": 3}
    plain = VAEDetector(**settings).fit(splits.train, splits.validation)
    same = AlteredVAE(None, **settings).fit(splits.train, splits.validation)
    image = splits.test[0]["image"][None]
    assert torch.equal(plain.anomaly_map(image), same.anomaly_map(image))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in altered.model.modules())


def test_other_settings_keep_the_change(splits, altered):
    sharp = altered.with_settings(smoothing=0.0)
    assert sharp.change is altered.change
    image = splits.test[0]["image"][None]
    assert torch.equal(sharp.reconstruct(image), altered.reconstruct(image))
    assert altered.rescored(splits.validation, score_by="kl").settings.score_by == "kl"


def test_what_does_not_fit_is_refused(altered, tmp_path):
    with pytest.raises(ValueError, match=r"a decoder of 2 widths is needed, got \[4\]"):
        decoder_of((4,))(VAE((32, 32), 1, 4, (4, 8)))
    with pytest.raises(ValueError, match="an encoder of at most 2 widths is needed"):
        encoder_of((4, 4, 4))(VAE((32, 32), 1, 4, (4, 8)))
    with pytest.raises(TypeError, match="an AlteredVAE lives in memory only"):
        altered.save(tmp_path / "altered")


# -- trials ------------------------------------------------------------------------------------------------------------


def test_trials_are_compared_as_results_are(splits, altered, few):
    test = splits.test
    plain = VAEDetector(**TINY_VAE).fit(splits.train, splits.validation)
    trials = {
        "plain": over_trials("plain", lambda seed: plain, [0, 1], few, test, draws=50),
        "altered": [judged_trial("altered", altered, few, test, draws=50)],
    }
    assert trials["plain"][0].synthetic_ap == trials["plain"][1].synthetic_ap
    assert over_seeds(trials["plain"], "pixel_ap").value == pytest.approx(
        plain_ap := trials["plain"][0].evaluation.pixel_ap
    )
    found = gaps(trials, "plain", ["pixel_ap", "image_auroc"])
    assert set(found) == {("altered", "pixel_ap"), ("altered", "image_auroc")}
    gap = found["altered", "pixel_ap"]
    assert gap.value == pytest.approx(trials["altered"][0].evaluation.pixel_ap - plain_ap)
    assert gap.p_holm is not None
    row = recipe_row(trials["plain"], few)
    assert row["AP, synthetic"] == pytest.approx(trials["plain"][0].synthetic_ap)
    assert row["pixel AP"] == pytest.approx(plain_ap)
    assert row == pytest.approx(recipe_row(trials["plain"][:1], few))
    with pytest.raises(ValueError, match="base must be one of plain, altered, got 'other'"):
        gaps(trials, "other", ["pixel_ap"])


@pytest.mark.parametrize(
    "signs, expected",
    [((1,), "helps"), ((-1, 0), "harms"), ((0, 0), "no difference shown"), ((1, -1), "helps one, harms another")],
)
def test_verdicts(signs, expected):
    differences = [Difference(0.1 * (sign or 1), -1, 1, p=0.001 if sign else 0.5) for sign in signs]
    assert verdict(differences) == expected


# -- moments of a training ---------------------------------------------------------------------------------------------


def test_snapshots_bring_each_moment_back(splits):
    detector = VAEDetector(**TINY_VAE | {"steps": 4}, validate_every=2)
    watched = Snapshots(detector, splits.validation, frames=2)
    with pytest.raises(ValueError, match="there is no snapshot of step 2"):
        watched.at(2)
    image, seen = splits.test[0]["image"], {}

    def keep(row):
        watched(row)
        seen[row["step"]] = detector.reconstruct(image[None])[0]
        if row["step"] == 2:
            with pytest.raises(RuntimeError, match="not fitted yet"):
                watched.at(2)

    detector.on_validation = keep
    detector.fit(splits.train, splits.validation)
    assert [row["step"] for row in watched.rows] == [2, 4]
    for frame, (step, known) in zip(watched.film(image), seen.items(), strict=True):
        assert torch.allclose(frame, known)
        then = watched.at(step)
        assert torch.allclose(then.reconstruct(image[None])[0], known)
        assert then.threshold == pytest.approx(max(then.judge_images(splits.validation)[1]), rel=0.5)
    assert watched.best_step() in (2, 4)


def test_a_drift_comes_with_its_error():
    steady = plateau([0.5] * 4 + [0.50, 0.51, 0.49, 0.50])
    assert steady.error > abs(steady.drift) > 0
    assert np.isnan(plateau([0.1, 0.2, 0.3, 0.4]).error)
    exact = plateau([0, 0, 0, 0, 1.0, 2.0, 3.0, 4.0])
    assert (exact.drift, exact.error) == (pytest.approx(3.0), pytest.approx(0.0, abs=1e-9))


def test_information_near_its_ceiling_is_a_lower_bound():
    apart, together = torch.arange(16.0)[:, None] * 100, torch.zeros(16, 1)
    assert Codes.of(apart, torch.zeros(16, 1)).information_is_bound
    assert not Codes.of(together, torch.zeros(16, 1)).information_is_bound


# -- the bound by labels -----------------------------------------------------------------------------------------------


def striped_patches(n=24, side=16):
    """Normal patches of noise, and defective ones with a stripe; three of an image."""
    pixels = torch.rand(n, 1, side, side, generator=torch.Generator().manual_seed(0)) * 0.3
    labels = np.arange(n) % 2 == 0
    pixels[labels, :, 4:8] = 1.0
    kinds = np.where(labels, "stripe", "good")
    return Patches(pixels, labels, kinds, [(k // 3, 0, 0) for k in range(n)])


def test_labels_tell_a_stripe_from_noise():
    patches = striped_patches()
    scores = classifier_scores(patches, steps=30, batch=8)
    assert patch_aurocs(patches, scores)["stripe"] > 0.9
    assert np.array_equal(scores, classifier_scores(patches, steps=30, batch=8))


def test_patches_of_the_textile(splits, altered):
    patches = cut_patches(splits.test, side=16, least=4)
    assert patches.side == 16
    assert patches.pixels.shape == (len(patches.labels), 1, 16, 16)
    assert (patches.kinds[~patches.labels] == "good").all()
    assert (patches.kinds[patches.labels] != "good").all()
    row = int(np.flatnonzero(patches.labels)[0])
    image, top, left = patches.places[row]
    item = splits.test[image]
    assert item["mask"][top : top + 16, left : left + 16].sum() >= 4
    assert torch.equal(item["image"][:, top : top + 16, left : left + 16], patches.pixels[row])
    scores = map_scores(altered, splits.test, patches)
    assert scores.shape == patches.labels.shape
    a_map = altered.anomaly_map(item["image"][None])[0]
    assert scores[row] == pytest.approx(float(a_map[top : top + 16, left : left + 16].max()))


def test_no_bound_without_both_kinds_of_patches(splits):
    with pytest.raises(ValueError, match="expected defective and normal patches of 16 × 16 pixels, got 0 defective"):
        cut_patches(splits.validation, side=16)
    patches = striped_patches()
    lonely = Patches(patches.pixels, patches.labels & (np.arange(24) == 0), patches.kinds, patches.places)
    with pytest.raises(ValueError, match="each half of the images needs defective and normal patches"):
        classifier_scores(lonely, steps=1, batch=4)


# -- the list ----------------------------------------------------------------------------------------------------------


def test_every_entry_has_a_verdict_of_its_kind_and_every_symptom_causes_and_actions():
    for entry in listed.CLASSIC_LIST:
        assert entry.verdict in listed.VERDICTS[entry.kind], entry
    for number in SYMPTOMS:
        kinds = {entry.kind for entry in listed.CLASSIC_LIST if entry.symptom == number and not entry.added}
        assert kinds == {listed.CAUSE, listed.ACTION}
    assert sum(entry.kind == listed.LOOK for entry in listed.CLASSIC_LIST) == 5


def test_the_list_reads_as_text_and_as_html():
    whole = listed.classic_list(listed.PLAYBOOK)
    text, page = repr(whole), whole._repr_html_()
    for symptom in SYMPTOMS.values():
        assert symptom.name[1:] in text
        assert symptom.name[1:] in page
    assert "href='#alike'" in page
    assert f"href='{listed.ACTIONS}.ipynb#capacity'" in page
    assert page.count("<tr>") == 1 + len(SYMPTOMS) + 1 + len(listed.CLASSIC_LIST)
    part = listed.classic_list(listed.ACTIONS, only=[listed.ACTIONS])
    assert {entry.notebook for entry in part.entries} == {listed.ACTIONS}
    assert not re.search(r"symptom \d", text + page)


@pytest.mark.parametrize("entry", listed.CLASSIC_LIST, ids=lambda entry: entry.text[:40])
def test_every_entry_leads_to_a_cell(entry):
    text = (NOTEBOOKS / f"{entry.notebook}.ipynb").read_text(encoding="utf-8")
    if entry.section:
        assert f'<a id=\\"{entry.section}\\"></a>' in text
