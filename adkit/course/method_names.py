"""What methods and measures are called in the course, where their short names would puzzle a reader."""

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
MEASURES = {
    "image_auroc": "image AUROC",
    "pixel_auroc": "pixel AUROC",
    "pixel_ap": "pixel AP",
    "pro": "PRO",
    "pro_macro": "macro PRO",
}


def called(method: str) -> str:
    """The name that figures show for a method of :data:`adkit.compare.METHODS`, or for a measure; others keep theirs.

    Args:
        method: its short name.

    Example:
        >>> called("loss"), called("pixel_ap"), called("mine")
        ('Phase 4, loss', 'pixel AP', 'mine')
    """
    return (NAMES | MEASURES).get(method, method)
