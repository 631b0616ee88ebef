"""``adkit train``: train a network with everything recorded that a person wants to see of a training."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from adkit.data.data_arguments import add_data_arguments, load_chosen
from adkit.detectors.fit_command import add_training_arguments, chosen_detector, settings_of
from adkit.detectors.network import NetworkDetector
from adkit.detectors.registry import detector_class, known_methods
from adkit.experiments.record import record, steps_per_epoch
from adkit.experiments.thresholds import QUANTILES, thresholds_table
from adkit.runtime.console import say
from adkit.runtime.processes import is_first, process_count
from adkit.runtime.serialization import write_json

EPILOG = """
DIR gets the detector, training_history.json and training_curves.png, pictures of the reconstructions every few epochs,
predictions of the test part, and results/METHOD_results.json: metrics, and what each threshold would flag. A command
that was killed goes on where it was when it is given again. For the detector alone, there is adkit fit.

  adkit train --dataset plots --image-size 64 --epochs 50 --out runs/vae
  adkit train --dataset plots --options counts=[1781,100,500,492] --image-size 64 --out runs/vae
  adkit train --root photos --method autoencoder --epochs 20 --set width=16 --out runs/autoencoder
  adkit predict runs/vae/detector plot.png --save result.png --percentile 99
  adkit predict runs/vae/detector incoming --out verdicts
"""


def add_arguments(parser: ArgumentParser) -> None:
    """What the command takes.

    Args:
        parser: of the command.
    """
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the run; another run there is replaced")
    add(
        "--method",
        choices=known_methods(),
        default="vae",
        metavar="NAME",
        help="autoencoder, latent, vae or draem (default vae)",
    )
    add("--epochs", type=int, metavar="N", help="each as many crops as there are training images (default: the steps)")
    add("--every", type=int, default=5, metavar="N", help="epochs between pictures of reconstructions (default 5)")
    add("--shown", type=int, default=4, metavar="N", help="images in each of those pictures (default 4)")
    add(
        "--percentiles",
        nargs="+",
        type=float,
        default=list(QUANTILES),
        metavar="Q",
        help="of the validation normals: thresholds to compare (default 90 95 99)",
    )
    add("--bootstrap", type=int, default=1000, metavar="N", help="samples behind the intervals; 0: none (default 1000)")
    add("--options", nargs="+", default=[], metavar="NAME=VALUE", help="of the data set, such as counts=[40,20,9,9]")
    add_training_arguments(parser, "latent_dim=128")
    add_data_arguments(parser)


def run(chosen: Namespace) -> int:
    """Train, judge, and write all of it down.

    Args:
        chosen: what the parser has read.
    """
    if chosen.epochs is not None and "steps" in settings_of(chosen.set):
        raise ValueError("--epochs and --set steps=… say the same; give one of them")
    if not issubclass(detector_class(chosen.method), NetworkDetector):
        raise ValueError(f"{chosen.method} trains no network, so there is nothing to record; use adkit fit")
    detector = chosen_detector(chosen)
    splits = load_chosen(chosen, **settings_of(chosen.options))
    if chosen.epochs is not None:
        if chosen.epochs < 1:
            raise ValueError(f"--epochs must be at least 1, got {chosen.epochs}")
        steps = chosen.epochs * steps_per_epoch(splits.train, detector.training.batch_size * process_count())
        detector = detector.fresh(steps=steps)
    out = chosen.out.expanduser()
    results = record(detector, splits, out, chosen.every, chosen.shown, chosen.bootstrap)
    if not is_first():  # of several processes that trained together
        return 0
    rows = thresholds_table(out / "detector", splits, chosen.percentiles, chosen.device)
    path = out / "results" / f"{chosen.method}_results.json"
    write_json(path, results | {"thresholds": rows})
    for row in rows:
        say(
            f"percentile {row['percentile']:g}: threshold {row['threshold']:.4g}, {row['alarms']} of {row['normal']} "
            f"normal and {row['found']} of {row['anomalous']} anomalous images flagged"
        )
    say(f"written: {path}")
    return 0
