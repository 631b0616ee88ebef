"""The playbook's causes against its diagnosis, over fabrics and seeds; run by hand, it takes minutes.

``python -m tests.diagnosis_matrix --category denim twill --seeds 3 4`` prints one line a run: what was induced, what
was found, and whether it is what ``diagnosis_matrix.json`` expects. Exits with 1 where one is not.
"""

import argparse
import json
import sys
from pathlib import Path

from adkit import load_dataset
from adkit.diagnose.fault_injection import FAULTS, RECIPES
from adkit.diagnose.recognition import induce_all

MATRIX = json.loads(Path(__file__).with_name("diagnosis_matrix.json").read_text(encoding="utf-8"))


def problem(name, diagnosis):
    """Why a diagnosis is not what the matrix expects of a cause (or of a healthy run); empty where it is."""
    if name not in FAULTS:
        return f"healthy, found {diagnosis.causes}" if diagnosis.findings else ""
    if diagnosis.causes[:1] != [name]:
        return f"found {diagnosis.causes}, expected {name} first"
    expected, shown = MATRIX[name], set(diagnosis.present)
    if missing := set(expected["shows"]) - shown:
        return f"symptoms {sorted(missing)} are missing, found {sorted(shown)}"
    if surplus := shown - set(expected["shows"]) - set(expected["may show"]):
        return f"symptoms {sorted(surplus)} are not expected"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--category", nargs="+", default=["gabardine"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--readings", action="store_true", help="print all numbers too")
    arguments, wrong = parser.parse_args(), 0
    for category in arguments.category:
        splits = load_dataset("textile", category=category)
        for seed in arguments.seeds:
            recipes = {method: recipe | {"seed": seed, "quiet": True} for method, recipe in RECIPES.items()}
            for name, diagnosis in induce_all(splits, recipes):
                trouble = problem(name, diagnosis)
                wrong += bool(trouble)
                found = f"{', '.join(diagnosis.causes) or 'healthy'}; symptoms {diagnosis.present}"
                print(f"{category} {seed} {name}: {found}{' <-- ' + trouble if trouble else ''}", flush=True)
                if arguments.readings:
                    numbers = {key: reading.value for key, reading in diagnosis.evidence.items()}
                    print(json.dumps({"run": [category, seed, name]} | numbers), flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
