"""The tables of the comparison, made of the committed results: ``python -m tests.comparison_table`` writes them.

README has what the default fusion reaches, ``notebooks/results/README.md`` every method, and every metric of those
that the course teaches on its textile. The results come from
``python -m adkit.compare``, one run a set; ``notebooks/results/compare`` keeps what it wrote.
"""

import json
from pathlib import Path

from adkit.compare import METHODS
from tests.marked import put

REPOSITORY = Path(__file__).parents[1]
README = REPOSITORY / "README.md"
FOLDER = REPOSITORY / "notebooks" / "results" / "compare"
PAGE = FOLDER.parent / "README.md"
SETS = {
    "textile": "textile",
    "aitex00": "AITEX 00",
    "aitex02": "AITEX 02",
    "aitex04": "AITEX 04",
    "tiles": "magnetic tiles",
    "leather": "leather (4 normals)",
}
TITLE = "PRO"
MAKER = "tests.comparison_table"
METRICS = {
    "pro": "PRO",
    "pro_macro": "macro PRO",
    "pixel_ap": "pixel AP",
    "image_auroc": "image AUROC",
}
COURSE = {
    "autoencoder": "Phase 1: plain autoencoder, mse + 0.1*ssim",
    "synthetic": "Phase 2: + synthetic defects, of the size that was chosen",
    "skip": "Phase 3: + skips (concat)",
    "loss": "Phase 4: + L1 instead",
    "latent": "Latent-space scoring: + distance of the features",
    "vae": "VAE, its recipe chosen on validation normals",
    "patchcore-own": "PatchCore on the encoder of Phase 4",
    "patchcore": "PatchCore on EfficientNet-Lite0",
    "draem": "DRAEM",
}


def table(folder: Path = FOLDER) -> str:
    """PRO of methods × sets as Markdown: mean over seeds, interval of that mean, the best of each set in bold."""
    found = {name: _methods(folder / f"{name}.json") for name in SETS}
    methods = list(found["textile"])
    value = {(m, name): each[m]["metrics"]["pro"] for name, each in found.items() for m in methods}
    fabrics = [name for name in SETS if name.startswith("aitex")]
    mean = {m: sum(value[m, name]["mean"] for name in fabrics) / len(fabrics) for m in methods}
    best = {name: max(methods, key=lambda m: value[m, name]["mean"]) for name in SETS}
    lines = ["| " + " | ".join([TITLE, *SETS.values(), "mean of AITEX"]) + " |"]
    lines += ["|---" * (len(SETS) + 2) + "|"]
    for m in methods:
        cells = [_cell(value[m, name], best[name] == m) for name in SETS]
        last = f"**{mean[m]:.3f}**" if mean[m] == max(mean.values()) else f"{mean[m]:.3f}"
        lines.append("| " + " | ".join([f"`{m}`", *cells, last]) + " |")
    return "\n".join(lines)


def fusion_table(folder: Path = FOLDER) -> str:
    """What the default fusion reaches, metrics × sets as Markdown: mean over seeds, and interval."""
    metrics = {name: _methods(folder / f"{name}.json")["fusion"]["metrics"] for name in SETS}
    lines = ["| " + " | ".join(["", *SETS.values(), "mean of AITEX"]) + " |", "|---" * (len(SETS) + 2) + "|"]
    for metric, title in METRICS.items():
        fabrics = [metrics[name][metric]["mean"] for name in SETS if name.startswith("aitex")]
        cells = [_cell(metrics[name][metric], False) for name in SETS]
        lines.append("| " + " | ".join([title, *cells, f"{sum(fabrics) / len(fabrics):.3f}"]) + " |")
    return "\n".join(lines)


def course_table(folder: Path = FOLDER) -> str:
    """The methods of the course on its textile, methods × metrics as Markdown: mean over seeds, and interval."""
    found = _methods(folder / "textile.json")
    best = {metric: max(COURSE, key=lambda m: found[m]["metrics"][metric]["mean"]) for metric in METRICS}
    lines = ["| " + " | ".join(["recipe", *METRICS.values()]) + " |", "|---" * (len(METRICS) + 1) + "|"]
    for method, told in COURSE.items():
        cells = [_cell(found[method]["metrics"][metric], best[metric] == method) for metric in METRICS]
        lines.append("| " + " | ".join([told, *cells]) + " |")
    return "\n".join(lines)


def _cell(found: dict, best: bool) -> str:
    text = f"{found['mean']:.3f}"
    return f"{f'**{text}**' if best else text} [{found['low']:.2f}, {found['high']:.2f}]"


def missed(method: dict, rounding: float = 1e-9) -> list[str]:
    """Names of the numbers of a method whose interval does not contain them."""
    numbers = {name: each for name, each in method["metrics"].items()}
    numbers |= {
        f"{kind}: {name}": each
        for kind, row in method["by_kind"].items()
        for name, each in row.items()
        if isinstance(each, dict)
    }
    bounded = {name: each for name, each in numbers.items() if each["low"] is not None}
    return [n for n, each in bounded.items() if not each["low"] - rounding <= each["mean"] <= each["high"] + rounding]


def _methods(path: Path) -> dict:
    """What one comparison says of each method; all of them, and not in fast mode."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["protocol"]["fast"] or list(kept["methods"]) != list(METHODS) or kept["problems"]:
        raise ValueError(f"{path.name} must hold all of {', '.join(METHODS)}, none of them in fast mode")
    return kept["methods"]


if __name__ == "__main__":
    for page, name, text in (
        (PAGE, "comparison", table()),
        (PAGE, "course methods", course_table()),
        (README, "fusion", fusion_table()),
    ):
        put(page, name, MAKER, text)
        print(text)
