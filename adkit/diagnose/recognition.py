"""Every cause of the playbook induced and diagnosed, beside healthy runs: is each recognised, and as which symptoms?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from adkit.data import Splits
from adkit.diagnose.diagnosis import Diagnosis, diagnose
from adkit.diagnose.fault_injection import CAUSES, DETECTORS, HEALTHY, remembering
from adkit.diagnose.root_causes import SYMPTOMS

COLUMNS = (*(f"symptom {number}" for number in SYMPTOMS), "recognised")


def induce_all(
    splits: Splits, recipes: Mapping[str, dict], known: Mapping[str, Diagnosis] | None = None
) -> Iterator[tuple[str, Diagnosis]]:
    """Every healthy run and every cause by name, with its bare diagnosis; each network is trained once.

    Args:
        splits: to train on, to calibrate with, and to test.
        recipes: method → settings of the healthy training, such as :data:`adkit.diagnose.fault_injection.RECIPES`.
        known: diagnoses that were made already; they are not made again.
    """
    known, sound = known or {}, {}
    for name in (*HEALTHY, *CAUSES):
        if name in known:
            yield name, known[name].bare()
            continue
        if name in HEALTHY:
            method, changes = HEALTHY[name]
            trained = DETECTORS[method](**(recipes[method] | changes)).fit(splits.train, splits.validation)
            detector = sound[name] = remembering(trained)
        else:
            cause = CAUSES[name]
            detector = cause.induce(splits, recipes[cause.method], None if cause.trains else sound.get("VAE"))
        yield name, diagnose(detector, splits.validation, test=splits.test).bare()


def recognition(runs: Sequence[Mapping[str, Diagnosis]]) -> tuple[list[str], np.ndarray]:
    """Shares of the runs (one a seed) in which each symptom came up, and in which the induced cause was named first.

    A healthy run is recognised where nothing was found.

    Returns:
        Names (R,), and shares (R, 7): a column for each symptom and one for the recognition, as in ``COLUMNS``.

    Example:
        >>> from types import SimpleNamespace as Known
        >>> runs = [{"VAE": Known(present=[], cause="healthy"), "no_kl": Known(present=[5], cause="no_kl")}]
        >>> names, shares = recognition(runs)
        >>> names, shares[:, 4:].tolist()
        (['VAE', 'no_kl'], [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    """
    names = list(runs[0])
    shares = [
        [*(np.mean([number in one[name].present for one in runs]) for number in SYMPTOMS),
         np.mean([one[name].cause == (name if name in CAUSES else "healthy") for one in runs])]
        for name in names
    ]  # fmt: skip
    return names, np.array(shares)
