"""A drawing of a network, made from the network itself: what one image becomes on its way through."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.patches import FancyArrowPatch, Rectangle
from torch import nn

from adkit.figures.style import BLUE, DIM, GREY, INK, VERMILLION, new_figure, styled

SYMBOLS = {"mu": "μ", "log_variance": "log σ²"}

Stage = tuple[str, tuple[int, ...], int]


def stages(model: nn.Module, shape: tuple[int, int, int], names: dict[str, str]) -> list[Stage]:
    """What comes out of the named parts of a network for one image, in the order in which they run.

    Args:
        model: the network.
        shape: (C, H, W) of an image.
        names: path of a submodule (``down.0``) → its name in the drawing.

    Returns:
        ``(name, shape without the batch, number of weights)`` of each, the image first.

    Raises:
        ValueError: if the network has no such part.

    Example:
        >>> stages(nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1)), (1, 8, 8), {"0": "conv"})
        [('image', (1, 8, 8), 0), ('conv', (4, 4, 4), 40)]
    """
    parts = dict(model.named_modules())
    if unknown := [path for path in names if path not in parts]:
        raise ValueError(f"the network has no part {unknown[0]!r}; it has {', '.join(path for path in parts if path)}")
    found: list[Stage] = [("image", tuple(shape), 0)]

    def note(name: str):
        def hook(module, _, output):
            first = output[0] if isinstance(output, tuple) else output
            found.append((name, tuple(first.shape[1:]), sum(weight.numel() for weight in module.parameters())))

        return hook

    hooks = [parts[path].register_forward_hook(note(name)) for path, name in names.items()]
    was_training = model.training
    try:
        with torch.inference_mode():
            device = next(model.parameters()).device
            model.eval()(torch.zeros(1, *shape, device=device))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return found


def parts_of(model: nn.Module) -> dict[str, str]:
    """The parts of a network that have weights: its children, and each entry of a list of modules.

    Args:
        model: the network.

    Returns:
        Path → name; what joins a skip to the decoder is left out.

    Example:
        >>> from adkit.models.autoencoder import Autoencoder
        >>> list(parts_of(Autoencoder(width=4, depth=2)).values())
        ['down 0', 'down 1', 'squeeze', 'expand', 'up 0', 'head']
    """
    found = {}
    for name, child in model.named_children():
        several = (
            [(f"{name}.{number}", one) for number, one in enumerate(child)] if _is_list(child) else [(name, child)]
        )
        found |= {path: path.replace(".", " ") for path, one in several if any(True for _ in one.parameters())}
    return {path: name for path, name in found.items() if not path.startswith("join")}


def _is_list(module: nn.Module) -> bool:
    return isinstance(module, nn.ModuleList)


@styled
def network(
    model: nn.Module,
    shape: tuple[int, int, int],
    names: dict[str, str] | None = None,
    skips: Sequence[tuple[str, str]] | None = None,
):
    """A network as blocks: as high as the image is there, as wide as it has channels (both on a log scale).

    Args:
        model: the network.
        shape: (C, H, W) of an image.
        names: path of a submodule (``down.0``) → its name in the drawing; None: `parts_of`.
        skips: pairs of names between which a skip connection runs; None: those of ``model.skip_levels``.

    Returns:
        ``(fig, axes)``.

    Raises:
        ValueError: if the network has no such part, or a skip names none.

    Example:
        >>> model = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ConvTranspose2d(8, 1, 4, 2, 1))
        >>> fig, ax = network(model, (1, 64, 64), {"0": "down", "1": "up"})
        >>> [text.get_text() for text in ax.texts][:3]
        ['image', '1 ×', '64 × 64']
    """
    if skips is None:
        skips = [(f"down {level}", f"up {level}") for level in getattr(model, "skip_levels", ())]
    found = stages(model, shape, parts_of(model) if names is None else names)
    fig = new_figure(2.7)
    ax = fig.subplots()
    places, x, floor = {}, 0.0, -max(_height(each) for _, each, _ in found) / 2
    for number, (name, each, weights) in enumerate(found):
        height, width = _height(each), 0.12 * np.log2(2 * each[0])
        colour = GREY if number == 0 else VERMILLION if np.prod(each) == _narrowest(found) else BLUE
        middle = x + 0.6
        ax.add_patch(Rectangle((middle - width / 2, -height / 2), width, height, color=colour, alpha=0.75, linewidth=0))
        # channels above the sides: in one line the shapes of neighbours run into one another
        sides = " × ".join(map(str, each[1:]))
        shape_lines = [(f"{each[0]} ×", INK), (sides, INK)] if sides else [(str(each[0]), INK), ("", INK)]
        told = SYMBOLS.get(name, name)
        for line, (text, shade) in enumerate([(told, INK), *shape_lines, (f"{weights:,}" if weights else "", DIM)]):
            ax.text(middle, floor - 0.25 - 0.42 * line, text, ha="center", va="top", color=shade, fontsize=8)
        places[name] = (middle, height / 2)
        x += 1.45
    for first, last in skips:
        if missing := {first, last} - places.keys():
            raise ValueError(f"a skip names {sorted(missing)[0]!r}; the drawing has {', '.join(places)}")
        ends = [(places[name][0], places[name][1] + 0.06) for name in (first, last)]
        style = {"connectionstyle": "arc3,rad=-0.12", "arrowstyle": "-|>", "mutation_scale": 9, "color": INK}
        ax.add_patch(FancyArrowPatch(*ends, **style))
    ax.set(xlim=(-0.2, x), ylim=(floor - 2.0, -floor + (0.13 * x if skips else 0.2)))
    ax.axis("off")
    return fig, ax


def _height(shape: tuple[int, ...]) -> float:
    return 0.55 * np.log2(shape[1]) - 0.6 if len(shape) > 1 and shape[1] > 4 else 0.3


def _narrowest(found: list[Stage]) -> int:
    """The least numbers in which any stage holds the image: the bottleneck."""
    return min(int(np.prod(shape)) for _, shape, _ in found[1:])
