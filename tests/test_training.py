"""Crops and the loop: the same seed twice, resume after a kill, selection, early stop, NaN."""

import pytest
import torch
from torch import nn

from adkit.data.crops import RandomCrops
from adkit.losses import mse
from adkit.models.autoencoder import Autoencoder
from adkit.training import Training, TrainingDiverged, fit, learning_rate


class Pictures:
    """The little that training needs of a dataset, for images of any sizes."""

    def __init__(self, images, foreground=None):
        self.images = [image if image.ndim == 3 else image[None] for image in images]
        self.masks = foreground or [torch.ones(image.shape[-2:], dtype=torch.bool) for image in images]
        self.channels, self.item_sizes = len(self.images[0]), [tuple(image.shape[-2:]) for image in images]
        self.all_foreground = foreground is None

    def __len__(self):
        return len(self.images)

    def pixels(self, i):
        return self.images[i]

    def foreground(self, i):
        return self.masks[i]


def coded(height, width, number=0):
    """An image whose pixels tell where they come from (mod 256)."""
    return ((torch.arange(height)[:, None] * 31 + torch.arange(width) * 7 + number * 101) % 256).to(torch.uint8)


def noise(count=6, side=40, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return Pictures(list(torch.randint(0, 256, (count, side, side), generator=draw, dtype=torch.uint8)))


# -- crops ---------------------------------------------------------------------------------------------------------


def test_a_crop_is_a_piece_of_one_image():
    images = [coded(40, 64, 0), coded(50, 33, 1)]
    crops = RandomCrops(Pictures(images), (16, 24), 32, flips=False).batch(0).images
    windows = [image.unfold(0, 16, 1).unfold(1, 24, 1).reshape(-1, 16, 24) for image in images]
    for crop in crops[:, 0]:
        assert any(((w.float() / 255 - crop).abs().amax((1, 2)) == 0).any() for w in windows)


def test_channels_keep_their_order():
    image = torch.stack([coded(20, 20, k) for k in range(3)])
    crop = RandomCrops(Pictures([image]), (20, 20), 1, flips=False).batch(0).images
    assert torch.equal(crop[0], image.float() / 255)


def test_flips_turn_whole_crops():
    image = coded(20, 30)
    crops = RandomCrops(Pictures([image]), (20, 30), 64).batch(0).images[:, 0]
    turned = [image, image.flip(0), image.flip(1), image.flip(0, 1)]
    seen = {next(k for k, t in enumerate(turned) if torch.equal(crop, t.float() / 255)) for crop in crops}
    assert seen == {0, 1, 2, 3}


def test_an_image_smaller_than_the_crop_is_mirrored():
    crop = RandomCrops(Pictures([coded(5, 7)]), (12, 12), 1, flips=False).batch(0).images[0, 0] * 255
    assert torch.equal(crop[:5, :7].round(), coded(5, 7).float())
    assert torch.equal(crop[5, :7].round(), coded(5, 7)[3].float())


def test_sixteen_bit_images_are_already_in_range():
    crop = RandomCrops(Pictures([torch.rand(9, 9)]), (9, 9), 1, flips=False).batch(0).images
    assert 0 <= crop.min() <= crop.max() <= 1


def test_crops_centre_on_the_foreground():
    image = torch.zeros(32, 200, dtype=torch.uint8)
    image[:, 150:] = 255
    crops = RandomCrops(Pictures([image], [image > 0]), (16, 16), 256).batch(0).images
    assert (crops[:, 0, 8, 8] == 1).float().mean() > 0.9  # by chance a quarter; sixteen tries leave one in sixty


def test_a_batch_depends_on_seed_and_step_alone():
    first, again = (RandomCrops(noise(), (16, 16), 4, seed=3) for _ in range(2))
    first.batch(0)
    assert torch.equal(first.batch(5).images, again.batch(5).images)
    assert not torch.equal(first.batch(5).images, first.batch(6).images)
    assert not torch.equal(first.batch(5).images, first.batch(5, rank=1).images)
    assert not torch.equal(first.batch(5).images, RandomCrops(noise(), (16, 16), 4, seed=4).batch(5).images)


@pytest.mark.parametrize("size,batch", [((0, 4), 2), ((4, 4), 0)])
def test_crops_refuse_empty_batches(size, batch):
    with pytest.raises(ValueError, match="size and batch_size must be positive"):
        RandomCrops(noise(), size, batch)


# -- the loop ------------------------------------------------------------------------------------------------------


def reconstruct(model, batch):
    error = mse(model(batch.images), batch.images)
    return {"loss": error, "mse": error}


def trained(settings, checkpoint=None, objective=reconstruct, dropout=False):
    torch.manual_seed(1)
    network = Autoencoder(width=4, depth=2, latent=2)
    model = nn.Sequential(network, nn.Dropout(0.1)) if dropout else network
    history = fit(model, noise(), noise(seed=1), objective, settings, checkpoint=checkpoint, quiet=True)
    return model, history


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_history_is_plain_and_the_same_seed_gives_the_same_weights():
    settings = Training(steps=7, crop=16, validate_every=3, device="cpu")
    (model, history), (again, history_again) = trained(settings), trained(settings)
    assert [row["step"] for row in history] == [3, 6, 7]
    assert set(history[0]) == {"step", "loss", "mse", "validation", "learning_rate"}
    assert history == history_again
    assert same(model, again)
    assert not model.training


class Killed(Exception):
    pass


@pytest.mark.parametrize("kill_at", [1, 4, 6, 9])
@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, kill_at, schedule):
    settings = Training(steps=10, crop=16, validate_every=2, schedule=schedule, device="cpu")
    whole, history = trained(settings, dropout=True)  # dropout: random states must survive too
    calls = 0

    def mortal(model, batch):
        nonlocal calls
        calls += model.training
        if calls > kill_at:
            raise Killed
        return reconstruct(model, batch)

    path = tmp_path / "checkpoint.pt"
    with pytest.raises(Killed):
        trained(settings, path, mortal, dropout=True)
    resumed, history_resumed = trained(settings, path, dropout=True)
    assert history_resumed == history
    assert same(whole, resumed)
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_finished_run_is_not_run_again(tmp_path):
    settings = Training(steps=4, crop=16, validate_every=2, device="cpu")
    model, history = trained(settings, tmp_path / "c.pt")

    def never(model, batch):
        raise AssertionError("trained again")

    again, history_again = trained(settings, tmp_path / "c.pt", never)
    assert same(model, again)
    assert history == history_again


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    trained(Training(steps=2, crop=16, device="cpu"), tmp_path / "c.pt")
    with pytest.raises(ValueError, match="made with other training settings"):
        trained(Training(steps=3, crop=16, device="cpu"), tmp_path / "c.pt")


def scripted(values, keep=None):
    """A criterion that says the values of a list, one a validation; ``keep`` collects the weights it saw."""
    left, calls = iter(values), 0

    def criterion(model, batch):
        nonlocal calls
        if calls % 4 == 0:  # the first of four batches
            criterion.value = next(left)
            if keep is not None:
                keep.append({k: v.clone() for k, v in model.state_dict().items()})
        calls += 1
        return {"loss": torch.tensor(criterion.value)}

    return criterion


def small_run(criterion, **options):
    torch.manual_seed(0)
    model = Autoencoder(width=4, depth=2, latent=2)
    settings = Training(**{"steps": 4, "crop": 16, "validate_every": 1, "device": "cpu"} | options.pop("settings", {}))
    return model, fit(model, noise(), noise(seed=1), reconstruct, settings, criterion, quiet=True, **options)


@pytest.mark.parametrize(
    ("first_that_counts", "chosen"),
    [(1, 1), (3, 2), (4, 3), (5, 3)],  # of validations 3, 1, 2, 4; where none counts, the last weights stay
)
def test_the_best_validation_that_counts_is_kept(first_that_counts, chosen):
    weights = []
    criterion = scripted([3.0, 1.0, 2.0, 4.0], keep=weights)
    model, history = small_run(criterion, selectable=lambda step: step >= first_that_counts)
    assert [row["validation"] for row in history] == [3.0, 1.0, 2.0, 4.0]
    assert all(torch.equal(value, weights[chosen][name]) for name, value in model.state_dict().items())


def test_patience_runs_from_the_last_validation_that_does_not_count():
    settings = {"steps": 20, "schedule": "constant", "patience": 2}
    flat = scripted([1.0] * 20)
    _, history = small_run(flat, settings=settings, selectable=lambda step: step > 5)
    assert len(history) == 8  # five that do not count, the first that does, two no better


def test_whoever_watches_sees_each_row_and_a_model_at_rest():
    seen = []
    model = Autoencoder(width=4, depth=2, latent=2)
    settings = Training(steps=4, crop=16, validate_every=2, device="cpu")
    watch = lambda row: seen.append((row, model.training))  # noqa: E731
    history = fit(model, noise(), noise(seed=1), reconstruct, settings, quiet=True, on_validation=watch)
    assert seen == [(row, False) for row in history]


def test_a_run_killed_while_it_is_watched_comes_to_that_row_again(tmp_path):
    settings, seen = Training(steps=4, crop=16, validate_every=2, device="cpu"), []

    def watch(row):
        seen.append(row["step"])
        if len(seen) == 2:
            raise KeyboardInterrupt

    def go():
        torch.manual_seed(0)
        model = Autoencoder(width=4, depth=2, latent=2)
        parts = (noise(), noise(seed=1), reconstruct, settings)
        return fit(model, *parts, checkpoint=tmp_path / "run.pt", quiet=True, on_validation=watch)

    with pytest.raises(KeyboardInterrupt):
        go()
    go()
    assert seen == [2, 4, 4]


def test_patience_stops_a_constant_schedule_early():
    settings = Training(steps=50, crop=16, validate_every=1, schedule="constant", patience=2, device="cpu")
    torch.manual_seed(0)
    model = Autoencoder(width=4, depth=2, latent=2)
    flat = lambda model, batch: {"loss": torch.tensor(1.0)}  # noqa: E731
    history = fit(model, noise(), noise(seed=1), reconstruct, settings, flat, quiet=True)
    assert len(history) == 3


def test_a_nan_loss_stops_and_spares_the_checkpoint(tmp_path):
    settings = Training(steps=6, crop=16, validate_every=2, device="cpu")
    calls = 0

    def breaks(model, batch):
        nonlocal calls
        calls += model.training
        loss = reconstruct(model, batch)["loss"]
        return {"loss": loss * float("nan") if calls > 3 else loss}

    with pytest.raises(TrainingDiverged, match=r"the loss became nan .* by step 4; lower the learning rate"):
        trained(settings, tmp_path / "c.pt", breaks)
    assert torch.load(tmp_path / "c.pt", weights_only=True)["step"] == 2


def test_bfloat16_trains():
    _, history = trained(Training(steps=2, crop=16, validate_every=1, device="cpu", precision="bfloat16"))
    assert all(row["loss"] < 1 for row in history)


def test_the_one_cycle_rises_and_falls():
    rates = [learning_rate(Training(steps=100, learning_rate=0.5), step) for step in range(101)]
    assert rates[0] == pytest.approx(0.02)
    assert max(rates) == rates[30] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0)
    assert learning_rate(Training(schedule="constant", learning_rate=0.5), 7) == 0.5


@pytest.mark.parametrize(
    "wrong,message",
    [
        ({"steps": 0}, "steps must be positive"),
        ({"learning_rate": -1.0}, "learning_rate must be positive"),
        ({"schedule": "cosine"}, "schedule must be one of one-cycle, constant, got 'cosine'"),
        ({"patience": 3}, "patience stops a run early, and one-cycle must run to its end"),
    ],
)
def test_wrong_settings_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        Training(**wrong)


def test_a_wrapped_network_trains_in_training_mode_after_a_validation_as_well(monkeypatch):
    """As several processes wrap it: what is validated is the network inside, and the wrapper does not notice."""
    import accelerate

    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def forward(self, images):
            return self.module(images)

    monkeypatch.setattr(accelerate.Accelerator, "prepare", lambda self, model: Wrapper(model))
    monkeypatch.setattr(accelerate.Accelerator, "unwrap_model", lambda self, model: model.module)
    network, modes = Autoencoder(width=4, depth=2), []

    def objective(model, batch):
        modes.append((torch.is_grad_enabled(), network.training))
        return {"loss": mse(model(batch.images), batch.images)}

    settings = Training(steps=4, batch_size=2, crop=16, validate_every=1, device="cpu")
    fit(network, noise(), noise(seed=1), objective, settings, quiet=True)
    assert [training for learns, training in modes if learns] == [True] * 4
    assert not any(training for learns, training in modes if not learns)
