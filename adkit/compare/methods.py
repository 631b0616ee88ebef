"""What is compared: one configuration of each method, the same for every data set."""

from adkit.detectors.fusion import MEMBERS, SURROUNDINGS
from adkit.detectors.registry import known_methods
from adkit.experiments.experiment import Experiment
from adkit.runtime import fast_mode

PHASE_1 = {"loss": "mse + 0.1*ssim", "skip": "none", "defects": None, "width": 16, "steps": 400, "crop": 64}
# the setting that notebook 02 keeps: corrupted in, clean out
PHASE_2 = PHASE_1 | {"defects": {"size": [0.1, 0.4]}, "repair": 1.0}
# the decoder sees the encoder's features
PHASE_3 = PHASE_2 | {"skip": "concat"}
# as large as the mix on validation normals: its weight in notebook 04
PHASE_4 = PHASE_3 | {"loss": "0.31*l1"}


def own_reference(method: str) -> tuple[str, dict]:
    """A member of the fusion as a method of its own."""
    (member,) = (dict(member) for member in MEMBERS if member["method"] == method)
    return member.pop("method"), member


# name → method of an Experiment, and the settings that differ from its defaults or should be seen
METHODS = {
    "autoencoder": ("autoencoder", PHASE_1),
    "synthetic": ("autoencoder", PHASE_2),
    "skip": ("autoencoder", PHASE_3),
    "loss": ("autoencoder", PHASE_4),
    # the residual, and features of image and reconstruction
    "latent": ("latent", PHASE_4 | {"distance": "reconstruction"}),
    "vae": ("vae", {}),
    "patchcore-own": ("patchcore", {"backbone": "own"}),
    "patchcore": ("patchcore", {"backbone": "efficientnet_lite0"}),
    "draem": ("draem", {}),
    # nothing trained, against the mean of the training images, and against the image's own median
    "filterbank-train": ("filterbank", {"reference": "train"}),
    "filterbank": ("filterbank", {"reference": "image", "surroundings": SURROUNDINGS}),
    # the image as its own reference: patches, and maps relative to their surroundings of networks that have seen drift
    "patchcore-image": ("patchcore", {"backbone": "efficientnet_lite0", "reference": "image"}),
    "draem-drift": own_reference("draem"),
    "latent-drift": own_reference("latent"),
    "fusion": ("fusion", {}),
}

_TINY = {"width": 4, "steps": 4, "crop": 32}
_TINY_DRAEM = _TINY | {"segment_width": 4}
# method of an Experiment → what fast mode changes
FAST = {
    "autoencoder": _TINY,
    "latent": _TINY,
    "vae": {"latent_dim": 8, "widths": [4, 8], "steps": 4, "crop": 32},
    "patchcore": {"max_patches": 200},
    "draem": _TINY_DRAEM,
    "fusion": {"members": [MEMBERS[0], MEMBERS[1] | _TINY_DRAEM, MEMBERS[2] | _TINY]},
}


def comparable() -> dict[str, tuple[str, dict]]:
    """All that can be compared: :data:`METHODS`, and registered methods of your own with their defaults.

    Returns:
        Name → method of an Experiment, and its settings.
    """
    taken = {method for method, _ in METHODS.values()}
    return METHODS | {name: (name, {}) for name in known_methods() if name not in (*METHODS, *taken)}


def choose(methods: str | list[str]) -> list[str]:
    """Names of methods.

    Args:
        methods: one name, or several; ``all`` stands for every one of :data:`METHODS`, and a registered method of your
            own has the name that it was registered under.

    Raises:
        ValueError: if a name is unknown, or there is none.

    Example:
        >>> choose(["vae", "draem", "vae"])
        ['vae', 'draem']
    """
    given, known = [methods] if isinstance(methods, str) else methods, comparable()
    names = list(dict.fromkeys(name for entry in given for name in (METHODS if entry == "all" else [entry])))
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"unknown method {', '.join(map(repr, unknown))}; known: all, or some of {', '.join(known)}")
    if not names:
        raise ValueError(f"a comparison needs methods, got none; name all, or some of {', '.join(known)}")
    return names


def experiment(name: str, seed: int, device: str = "auto", **data) -> Experiment:
    """The experiment of a method; a tiny one in fast mode.

    Args:
        name: one that :func:`choose` knows.
        seed: integer; another seed trains from other random numbers.
        device: auto, cpu, cuda, cuda:N or mps.
        data: ``dataset``, ``root`` and the other arguments of :class:`adkit.Experiment` that name images.

    Example:
        >>> experiment("synthetic", seed=1, dataset="textile", category="denim").settings["repair"]
        1.0
    """
    method, settings = comparable()[name]
    if fast_mode():
        own = {"own": FAST["autoencoder"]} if settings.get("backbone") == "own" else {}
        settings = settings | FAST.get(method, {}) | own
    return Experiment(method=method, settings=settings | {"device": device}, seed=seed, **data)
