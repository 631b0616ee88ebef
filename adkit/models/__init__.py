"""Networks and what they remember: autoencoders, VAEs, DRAEM, frozen backbones, memories of patches, latent spaces."""

from adkit.runtime.lazy import lazy_exports

_HOMES = {"count_parameters": "adkit.models.blocks"}

__all__ = list(_HOMES)
__getattr__, __dir__ = lazy_exports(__name__, _HOMES)
