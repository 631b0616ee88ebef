"""The README's table of the comparison, made of the committed results: ``python -m tests.comparison_table`` writes it.

The results come from ``python -m adkit.compare``, one run a set; ``notebooks/results/compare`` keeps what it wrote.
"""

import json
from pathlib import Path

from adkit.compare import METHODS
from adkit.runtime import atomic_path

REPOSITORY = Path(__file__).parents[1]
FOLDER = REPOSITORY / "notebooks" / "results" / "compare"
SETS = {
    "textile": "textile",
    "aitex00": "AITEX 00",
    "aitex02": "AITEX 02",
    "aitex04": "AITEX 04",
    "tiles": "magnetic tiles",
}
TITLES = {"pro": "PRO", "pro_macro": "PRO, mean of the defect types"}
# what pages of the first format hold: the methods that the course had then
FIRST = (
    "autoencoder", "synthetic", "skip", "loss", "latent", "vae", "patchcore-own", "patchcore", "draem",
)  # fmt: skip
START, END = "<!-- comparison: python -m tests.comparison_table -->", "<!-- end of comparison -->"
# of the default fusion, until all methods are compared anew: one run a set, ``--methods fusion --seeds 1``
FUSION = REPOSITORY / "notebooks" / "results" / "fusion"
FUSION_SETS = {**SETS, "leather": "leather (4 normals)"}
FUSION_MARKS = "<!-- fusion: python -m tests.comparison_table -->", "<!-- end of fusion -->"
FUSION_TITLES = {"pro": "PRO", "pixel_ap": "pixel AP", "image_auroc": "image AUROC"}


def table(folder: Path = FOLDER) -> str:
    """Methods × sets as Markdown, of PRO and, where all results have it, of its macro mean over defect types.

    Mean over seeds with the interval of that mean, the highest of each set in bold.
    """
    found = {name: _methods(folder / f"{name}.json") for name in SETS}
    known = [m for m in TITLES if all(m in each["metrics"] for methods in found.values() for each in methods.values())]
    digits = 3 if "pro_macro" in known else 2  # of the intervals; results of the first format were shown with two
    return "\n\n".join(_table(found, metric, digits) for metric in known)


def fusion_table(folder: Path = FUSION) -> str:
    """What the default fusion reaches, metrics × sets as Markdown: value and interval."""
    found = {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in FUSION_SETS}
    metrics = {name: each["methods"]["fusion"]["metrics"] for name, each in found.items()}
    lines = ["| " + " | ".join(["", *FUSION_SETS.values()]) + " |", "|---" * (len(FUSION_SETS) + 1) + "|"]
    for metric, title in FUSION_TITLES.items():
        cells = [_cell(metrics[name][metric], False, 2) for name in FUSION_SETS]
        lines.append("| " + " | ".join([title, *cells]) + " |")
    fabrics = [metrics[name]["pro"]["mean"] for name in FUSION_SETS if name.startswith("aitex")]
    return "\n".join([*lines, "", f"Mean PRO of the three fabrics: {sum(fabrics) / len(fabrics):.3f}."])


def _table(found: dict[str, dict], metric: str, digits: int) -> str:
    methods = list(found["textile"])
    value = {(m, name): each[m]["metrics"][metric] for name, each in found.items() for m in methods}
    fabrics = [name for name in SETS if name.startswith("aitex")]
    mean = {m: sum(value[m, name]["mean"] for name in fabrics) / len(fabrics) for m in methods}
    best = {name: max(methods, key=lambda m: value[m, name]["mean"]) for name in SETS}
    lines = ["| " + " | ".join([TITLES[metric], *SETS.values(), "mean of AITEX"]) + " |"]
    lines += ["|---" * (len(SETS) + 2) + "|"]
    for m in methods:
        cells = [_cell(value[m, name], best[name] == m, digits) for name in SETS]
        last = f"**{mean[m]:.3f}**" if mean[m] == max(mean.values()) else f"{mean[m]:.3f}"
        lines.append("| " + " | ".join([f"`{m}`", *cells, last]) + " |")
    return "\n".join(lines)


def _cell(found: dict, best: bool, digits: int) -> str:
    text = f"{found['mean']:.3f}"
    return f"{f'**{text}**' if best else text} [{found['low']:.{digits}f}, {found['high']:.{digits}f}]"


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
    wanted = methods_of(kept["protocol"])
    if kept["protocol"]["fast"] or list(kept["methods"]) != wanted or kept["problems"]:
        raise ValueError(f"{path.name} must hold all of {', '.join(wanted)}, none of them in fast mode")
    return kept["methods"]


def methods_of(protocol: dict) -> list[str]:
    """The methods that a page holds, by its format."""
    return list(METHODS if protocol.get("format") else FIRST)


def parts(text: str, marks: tuple[str, str] = (START, END)) -> tuple[str, str, str]:
    """What stands before, between and behind two marks of the README."""
    before, rest = text.split(marks[0])
    between, behind = rest.split(marks[1])
    return before, between.strip(), behind


if __name__ == "__main__":
    path = REPOSITORY / "README.md"
    text = path.read_text(encoding="utf-8")
    for marks, made in (((START, END), table()), (FUSION_MARKS, fusion_table())):
        before, _, behind = parts(text, marks)
        text = f"{before}{marks[0]}\n{made}\n{marks[1]}{behind}"
        print(made)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
