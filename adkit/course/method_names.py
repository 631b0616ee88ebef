"""What the methods of a comparison are called in the course, where their short names would puzzle a reader."""

NAMES = {
    "autoencoder": "Phase 1, autoencoder",
    "synthetic": "Phase 2, repairing",
    "skip": "Phase 3, skips",
    "loss": "Phase 4, loss",
    "latent": "Phase 5, latent",
    "vae": "VAE",
    "patchcore-own": "PatchCore, own encoder",
    "patchcore": "PatchCore, photographs",
    "draem": "DRAEM",
    "filterbank-train": "filter bank, training mean",
    "filterbank": "filter bank, own median",
    "patchcore-image": "PatchCore, own image",
    "draem-drift": "DRAEM, drift",
    "latent-drift": "Phase 5, drift",
    "fusion": "fusion",
}


def called(method: str) -> str:
    """The name that figures show for a method of :data:`adkit.compare.METHODS`; one of your own keeps its name.

    Args:
        method: its short name.

    Example:
        >>> called("loss"), called("mine")
        ('Phase 4, loss', 'mine')
    """
    return NAMES.get(method, method)
