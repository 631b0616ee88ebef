"""What is compared: one configuration of each method, the same for every data set."""

from adkit.experiments.experiment import Experiment
from adkit.runtime import fast_mode

PHASE_1 = {"loss": "mse + 0.1*ssim", "skip": "none", "defects": None, "width": 16, "steps": 400, "crop": 64}
PHASE_2 = PHASE_1 | {"defects": {"size": [0.1, 0.4]}, "repair": 1.0}  # notebook 02's choice: corrupted in, clean out
PHASE_3 = PHASE_2 | {"skip": "concat"}  # the decoder sees the encoder's features
PHASE_4 = PHASE_3 | {"loss": "0.31*l1"}  # as large as the mix on validation normals: its weight in notebook 04

METHODS = {  # name → method of an Experiment, and the settings that differ from its defaults or should be seen
    "autoencoder": ("autoencoder", PHASE_1),
    "synthetic": ("autoencoder", PHASE_2),
    "skip": ("autoencoder", PHASE_3),
    "loss": ("autoencoder", PHASE_4),
    "latent": (
        "latent",
        PHASE_4 | {"distance": "reconstruction"},
    ),  # the residual, and features of image and reconstruction
    "vae": ("vae", {}),
    "patchcore-own": ("patchcore", {"backbone": "own"}),
    "patchcore": ("patchcore", {"backbone": "efficientnet_lite0"}),
    "draem": ("draem", {}),
}

_TINY = {"width": 4, "steps": 4, "crop": 32}
FAST = {  # method of an Experiment → what fast mode changes
    "autoencoder": _TINY,
    "latent": _TINY,
    "vae": {"latent_dim": 8, "widths": [4, 8], "steps": 4, "crop": 32},
    "patchcore": {"max_patches": 200},
    "draem": _TINY | {"segment_width": 4},
}


def choose(methods: str | list[str]) -> list[str]:
    """Names of methods: ``all``, one name, or several.

    Raises:
        ValueError: if a name is unknown, or there is none.

    Example:
        >>> choose(["vae", "draem", "vae"])
        ['vae', 'draem']
    """
    names = list(dict.fromkeys([methods] if isinstance(methods, str) else methods))
    if names == ["all"]:
        return list(METHODS)
    if unknown := [name for name in names if name not in METHODS]:
        raise ValueError(f"unknown method {', '.join(map(repr, unknown))}; known: all, or some of {', '.join(METHODS)}")
    if not names:
        raise ValueError(f"a comparison needs methods, got none; name all, or some of {', '.join(METHODS)}")
    return names


def experiment(name: str, seed: int, device: str = "auto", **data) -> Experiment:
    """The experiment of a method; a tiny one in fast mode.

    Args:
        name: of one of ``METHODS``.
        seed: of training.
        device: see :func:`adkit.runtime.resolve_device`.
        data: ``dataset``, ``root`` and the other arguments of :class:`adkit.Experiment` that name images.

    Example:
        >>> experiment("synthetic", seed=1, dataset="textile", category="denim").settings["repair"]
        1.0
    """
    method, settings = METHODS[name]
    if fast_mode():
        own = {"own": FAST["autoencoder"]} if settings.get("backbone") == "own" else {}
        settings = settings | FAST[method] | own
    return Experiment(method=method, settings=settings | {"device": device}, seed=seed, **data)
