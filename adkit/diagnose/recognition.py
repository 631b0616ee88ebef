"""Every fault of the playbook injected and diagnosed, beside healthy runs: is each recognised, as which symptoms?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from adkit.data import Splits
from adkit.detectors.registry import detector_class
from adkit.diagnose.diagnosis import Diagnosis, diagnose
from adkit.diagnose.fault_injection import FAULTS, HEALTHY, with_cached_reconstruction
from adkit.diagnose.root_causes import SYMPTOMS

# symptoms in words, in two lines, and whether the fault was named first
COLUMNS = (*(symptom.short.replace(" ", "\n", 1) for symptom in SYMPTOMS.values()), "named\nfirst")
# what was done to a network, in words: name of a fault or of a healthy run → title of its row
TITLES = {name: f"healthy {name}" for name in HEALTHY} | {fault.name: fault.knob for fault in FAULTS.values()}


def induce_all(
    splits: Splits, recipes: Mapping[str, dict], known: Mapping[str, Diagnosis] | None = None
) -> Iterator[tuple[str, Diagnosis]]:
    """Every healthy run and every fault by name, with its diagnosis without arrays; each network is trained once.

    Args:
        splits: to train on, to calibrate with, and to test.
        recipes: method → settings of the healthy training, such as :data:`adkit.diagnose.fault_injection.RECIPES`.
        known: diagnoses that were made already; they are not made again.
    """
    known, healthy = known or {}, {}
    for name in (*HEALTHY, *FAULTS):
        if name in known:
            yield name, known[name].without_arrays()
            continue
        if name in HEALTHY:
            method, changes = HEALTHY[name]
            trained = detector_class(method)(**(recipes[method] | changes)).fit(splits.train, splits.validation)
            detector = healthy[name] = with_cached_reconstruction(trained)
        else:
            fault = FAULTS[name]
            detector = fault.induce(splits, recipes[fault.method], None if fault.needs_training else healthy.get("VAE"))
        yield name, diagnose(detector, splits.validation, test=splits.test).without_arrays()


def recognition(runs: Sequence[Mapping[str, Diagnosis]]) -> tuple[list[str], np.ndarray]:
    """Shares of the runs in which each symptom came up, and in which the injected fault was named first.

    A healthy run is recognised where nothing was found.

    Args:
        runs: one a seed: name of a fault, or of a healthy run → its diagnosis.

    Returns:
        Names (R,), and shares (R, 7): a column for each symptom and one for the recognition, as in ``COLUMNS``.

    Example:
        >>> from types import SimpleNamespace as Known
        >>> runs = [{"VAE": Known(present=[], cause="healthy"), "no_kl": Known(present=[5], cause="no_kl")}]
        >>> names, shares = recognition(runs)
        >>> names, shares[:, 4:].tolist()
        (['VAE', 'no_kl'], [[0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    """
    names, shares = list(runs[0]), []
    for name in names:
        diagnoses = [run[name] for run in runs]
        expected = name if name in FAULTS else "healthy"
        row = [np.mean([number in diagnosis.present for diagnosis in diagnoses]) for number in SYMPTOMS]
        shares.append([*row, np.mean([diagnosis.cause == expected for diagnosis in diagnoses])])
    return names, np.array(shares)
