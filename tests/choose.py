"""Which configuration finds synthetic defects on drifting validation normals best, as tests/bench/PROTOCOL.md
asks. No test part is read.

    python -m tests.choose DATA [--sets aitex00 tiles …]
    python -m tests.choose DATA --scores

DATA is the folder with ``aitex``, ``magnetic_tile`` and ``mvtec_leather``. Fits are kept under ``ADKIT_HOME``. The
second call judges scores and borders alone, of the fusion as it is: ``tests/bench/BORDER.md``.
"""

import argparse
import itertools
import json
import statistics
import warnings
from pathlib import Path

import numpy as np
import torch

from adkit import run
from adkit.compare.methods import experiment
from adkit.data import AnomalyDataset
from adkit.defects.stand_in import TRAINED, StandIn, stand_in_metrics, stand_ins
from adkit.detectors.base import Detector
from adkit.detectors.border import inner
from adkit.detectors.fusion import normal_level
from adkit.detectors.storage import load_detector
from adkit.experiments.experiment import Experiment
from adkit.experiments.fitted import DETECTOR, detector_once
from adkit.experiments.sources import FIT, source_hash
from adkit.metrics import auroc
from adkit.scoring import SCORE_METHODS, image_score

SETS = {
    "AITEX 00": {"dataset": "aitex", "root": "aitex", "category": "00"},
    "AITEX 02": {"dataset": "aitex", "root": "aitex", "category": "02"},
    "AITEX 04": {"dataset": "aitex", "root": "aitex", "category": "04"},
    "tiles": {"dataset": "mvtec", "root": "magnetic_tile", "category": "tile"},
    "leather": {"dataset": "mvtec", "root": "mvtec_leather", "category": "leather"},
    "textile": {"dataset": "textile"},
}
REPAIR = {"defects": {"size": [0.1, 0.4], "defect_types": list(TRAINED)}}
FAMILIES = {
    "filterbank": [{"reference": reference} for reference in ("image", "train", "both")],
    "draem": [{"drift": 0.0}, {"drift": 1.0}],
    "latent": [{"drift": 0.0, **REPAIR}, {"drift": 1.0, **REPAIR}],
}
SURROUNDINGS = (0.0, 64.0)
BORDERS = (0, 8, 16, 32)
# of each family the variant that joins a fusion
MEMBERS = ("filterbank reference=image", "draem drift=1.0", "latent drift=1.0")
JOINED = {"mean": lambda maps: np.mean(maps, axis=0), "max": lambda maps: np.max(maps, axis=0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "bench" / "choice.json")
    parser.add_argument("--scores", action="store_true", help="scores and borders of the default fusion only")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    if chosen.scores:
        found = {name: judge_scores(options) for name, options in sets_in(chosen.data, chosen.sets).items()}
        chosen.out.with_name("BORDER.md").write_text(text := report_scores(found))
        print(text)
        return
    found = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    for name, options in sets_in(chosen.data, chosen.sets).items():
        found[name] = judge_set(name, options)
        chosen.out.write_text(json.dumps(found, indent=1) + "\n")
    text = report(found)
    chosen.out.with_name("CHOICE.md").write_text(text)
    print(text)


def sets_in(data: Path, names: list[str]) -> dict[str, dict]:
    """The options of the sets, their folders in that of the data."""
    return {n: SETS[n] | ({"root": str(data / SETS[n]["root"])} if "root" in SETS[n] else {}) for n in names}


def judge_scores(options: dict) -> dict[str, float]:
    """Image AUROC of the default fusion on the stand-ins of a set, by score and border."""
    if options["dataset"] == "textile":
        options = options | {"category": "gabardine"}  # as the protocol says, unlike the first choice
    result = run(experiment("fusion", 0, **options), quiet=True)
    images, fitted = stand_ins(result.experiment.splits().validation), result.detector()
    maps = [fitted.anomaly_map(one.image, one.foreground)[0].numpy() for one in images]
    return by_score(maps, images)


def by_score(maps: list[np.ndarray], images: list[StandIn]) -> dict[str, float]:
    """Image AUROC of maps by score and border."""
    labels = [image.kind != "good" for image in images]
    return {
        f"{score} border={border}": auroc(
            labels, [scored(*both, score, border) for both in zip(maps, images, strict=True)]
        )
        for score, border in itertools.product(SCORE_METHODS, BORDERS)
    }


def report_scores(found: dict[str, dict[str, float]]) -> str:
    """Scores and borders as Markdown, the best first."""
    lines = ["# Image score and border of the default fusion, on stand-ins", ""]
    lines += ["Image AUROC, one seed; made by `python -m tests.choose DATA --scores`.", ""]
    lines += [f"| score | mean | {' | '.join(found)} |", f"|---|---|{'---|' * len(found)}"]
    rows = {name: [of_set[name] for of_set in found.values()] for name in next(iter(found.values()))}
    for name, values in sorted(rows.items(), key=lambda pair: -statistics.fmean(pair[1])):
        lines.append(f"| {name} | {statistics.fmean(values):.3f} | {' | '.join(f'{v:.3f}' for v in values)} |")
    return "\n".join([*lines, ""])


def judge_set(name: str, options: dict) -> dict:
    """Metrics of every candidate on the stand-ins of one set: label → ``pro``, ``ap``, ``image_auroc``."""
    splits = Experiment(**options).splits()
    images = stand_ins(splits.validation)
    found, maps = {}, {}
    for method, variants in FAMILIES.items():
        for settings in variants:
            fitted = fit(Experiment(method=method, settings=settings, **options))
            for surroundings in SURROUNDINGS:
                label = f"{method} {label_of(settings)} surroundings={surroundings:g}"
                maps[label] = levelled(fitted.with_settings(surroundings=surroundings), splits.validation, images)
                found[label] = row(maps[label], images)
                print(f"{name:10s} {label:60s} {found[label]['pro']:.3f} {found[label]['ap']:.3f}", flush=True)
    for surroundings, (combine, join) in itertools.product(SURROUNDINGS, JOINED.items()):
        members = [f"{member} surroundings={surroundings:g}" for member in MEMBERS]
        fused = {
            some: row([join(each) for each in zip(*(maps[members[k]] for k in some), strict=True)], images)
            for n in (2, 3)
            for some in itertools.combinations(range(3), n)
        }
        alone = {(k,): found[members[k]] for k in range(3)}
        best = max(alone | fused, key=lambda some: quality((alone | fused)[some]))
        label = f"fusion {combine} surroundings={surroundings:g}"
        for some, metrics in fused.items():
            found[f"{label} {'+'.join(MEMBERS[k].split()[0] for k in some)}"] = metrics
        found[f"{label} auto"] = (alone | fused)[best] | {"members": [MEMBERS[k].split()[0] for k in best]}
        print(f"{name:10s} {label} auto {found[f'{label} auto']}", flush=True)
    return found


def fit(planned: Experiment) -> Detector:
    """The fitted detector, kept under ADKIT_HOME."""
    splits, detector = planned.splits(), planned.detector()
    detector.quiet = True
    sources = source_hash(planned.detector_class, planned.dataset, FIT)
    return load_detector(detector_once(detector, splits.train, splits.validation, sources).folder / DETECTOR)


def label_of(settings: dict) -> str:
    """The settings in a word."""
    return " ".join(f"{key}={value}" for key, value in settings.items() if key != "defects")


def levelled(detector: Detector, validation: AnomalyDataset, images: list[StandIn]) -> list[np.ndarray]:
    """Maps of the stand-ins, divided by the 99.5th percentile of validation normals, as a fusion has them."""
    level = normal_level(detector, validation)
    return [detector.anomaly_map(i.image, i.foreground)[0].numpy() / level for i in images]


def row(maps: list[np.ndarray], images: list[StandIn]) -> dict:
    """PRO and AP of the maps, and the image AUROC of each score and border."""
    metrics = stand_in_metrics(maps, [0.0] * len(images), images)
    aurocs = by_score(maps, images)
    return {"pro": metrics.pro, "ap": metrics.ap, "image_auroc": aurocs, "by_kind": metrics.by_kind}


def scored(one: np.ndarray, image: StandIn, score: str, border: int) -> float:
    """The image score of a map (H, W), without a border."""
    inside = inner(image.foreground.reshape(one.shape), border)
    return float(image_score(torch.from_numpy(one)[None], score, foreground=inside[None]))


def quality(metrics: dict) -> float:
    """The criterion of the protocol."""
    return (metrics["pro"] + metrics["ap"]) / 2


def report(found: dict) -> str:
    """All candidates as Markdown, the best first."""
    labels = list(next(iter(found.values())))
    mean = {label: statistics.fmean(quality(of_set[label]) for of_set in found.values()) for label in labels}
    lines = [
        "# Candidates on drifting validation normals with held-out synthetic defects",
        "",
        "PRO / pixel AP, macro over the types; criterion: mean of both over the sets. See PROTOCOL.md; made by",
        "`python -m tests.choose DATA`.",
        "",
        f"| candidate | criterion | {' | '.join(found)} |",
        f"|---|---|{'---|' * len(found)}",
    ]
    for label in sorted(labels, key=mean.get, reverse=True):
        cells = [f"{of_set[label]['pro']:.3f} / {of_set[label]['ap']:.3f}" for of_set in found.values()]
        lines.append(f"| {label} | {mean[label]:.3f} | {' | '.join(cells)} |")
    best = max(labels, key=mean.get)
    lines += ["", f"Image AUROC of `{best}` by score and border:", "", f"| score | mean | {' | '.join(found)} |"]
    lines.append(f"|---|---|{'---|' * len(found)}")
    scores = {name: [of_set[best]["image_auroc"][name] for of_set in found.values()] for name in
              next(iter(found.values()))[best]["image_auroc"]}  # fmt: skip
    for name, values in sorted(scores.items(), key=lambda pair: -statistics.fmean(pair[1])):
        lines.append(f"| {name} | {statistics.fmean(values):.3f} | {' | '.join(f'{v:.3f}' for v in values)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
