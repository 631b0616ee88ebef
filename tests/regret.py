"""Is a recommendation any good? How much PRO is lost by it, beside always taking one method.

    python -m tests.regret DATA

DATA is the folder with ``aitex``, ``magnetic_tile`` and ``mvtec_leather``; the five fabrics of the textile join. Each
method is judged by stand-ins, as :func:`adkit.recommend` judges, and on the test part, which nothing is chosen by.
Writes ``tests/bench/REGRET.md``, and what notebook 11 shows of it, ``notebooks/results/recommend/regret.json``.
"""

import argparse
import statistics
import warnings
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from adkit import run
from adkit.compare.methods import experiment
from adkit.compare.recommend import judge_candidate
from adkit.data.textile import FABRICS
from adkit.defects.stand_in import stand_ins
from adkit.runtime.serialization import write_json
from tests.choose import SETS

KEPT = Path(__file__).parents[1] / "notebooks" / "results" / "recommend" / "regret.json"

# what recommend chooses from
CANDIDATES = ("filterbank", "draem-drift", "latent-drift", "fusion")
OTHERS = ("patchcore-image", "patchcore", "draem", "latent", "vae", "filterbank-train")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--fabrics-only", action="store_true")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    sets = {f"textile {fabric}": {"dataset": "textile", "category": fabric} for fabric in FABRICS}
    if not chosen.fabrics_only:
        real = {name: dict(options) for name, options in SETS.items() if "root" in options}
        sets = {name: options | {"root": str(chosen.data / options["root"])} for name, options in real.items()} | sets
    rows = {}
    for name, options in sets.items():
        rows[name] = judge(options)
        print(name, rows[name], flush=True)
    text = report(rows)
    (Path(__file__).parent / "bench" / "REGRET.md").write_text(text)
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    write_json(KEPT, {"date": datetime.now(UTC).date().isoformat(), "sets": rows})
    print(text)


def judge(options: dict) -> dict:
    """Test PRO of every method, and the one that the stand-ins recommend."""
    pro, quality = {}, {}
    for name in (*CANDIDATES, *OTHERS):
        result = run(experiment(name, 0, **options), quiet=True)
        pro[name] = result.evaluation.pro
        if name in CANDIDATES:
            images = stand_ins(result.experiment.splits().validation)
            quality[name] = judge_candidate(name, result.detector(), images, 0.0, "").quality.value
    return {"pro": pro, "quality": quality, "recommended": max(quality, key=quality.get)}


def report(rows: dict) -> str:
    """The table."""
    names, tried = [*CANDIDATES, *OTHERS], ", ".join(f"`{name}`" for name in CANDIDATES)
    lines = [
        "# Regret: PRO of the best of all methods minus that of what was taken",
        "",
        f"One seed. `recommended` is chosen by stand-ins as `adkit.recommend` does it, but from {tried} alone,",
        "trained in full; `recommend` also tries `latent` and a PatchCore, within its budget.",
        "Made by `python -m tests.regret DATA`.",
        "",
        f"| set | best | recommended | regret | {' | '.join(f'always `{name}`' for name in names)} |",
        f"|---|---|---|---|{'---|' * len(names)}",
    ]
    regrets = {name: [] for name in ("recommended", *names)}
    for label, row in rows.items():
        pro, taken = row["pro"], row["recommended"]
        best = max(pro, key=pro.get)
        for name in regrets:
            regrets[name].append(pro[best] - pro[taken if name == "recommended" else name])
        cells = " | ".join(f"{regrets[name][-1]:.3f}" for name in names)
        found = f"{best} {pro[best]:.3f} | {taken} {pro[taken]:.3f} | {regrets['recommended'][-1]:.3f}"
        lines.append(f"| {label} | {found} | {cells} |")
    means = {name: statistics.fmean(values) for name, values in regrets.items()}
    cells = " | ".join(f"{means[name]:.3f}" for name in names)
    lines.append(f"| mean | | | **{means['recommended']:.3f}** | {cells} |")
    taken = Counter(row["recommended"] for row in rows.values())
    best = min(names, key=means.get)
    lines += [
        "",
        "Taken: "
        + ", ".join(f"`{name}` {count} times" for name, count in taken.most_common())
        + f", of {len(rows)} sets. The best single method in hindsight is always `{best}`, with a mean regret of "
        f"{means[best]:.3f}, beside {means['recommended']:.3f} of the recommendation.",
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
