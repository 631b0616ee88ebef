"""Fuzzers: inputs that nobody would write by hand. A few seconds of each run with the tests, all of it by hand:
``python -m tests.fuzz``.

A fuzzer is a module here that has ``CASE``, a hypothesis strategy, and ``check``, which takes a case and returns what
came of it in a word or two; it raises ``AssertionError`` where that is wrong.
"""

import importlib
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

from hypothesis import HealthCheck, Phase, given, seed, settings


def fuzzers() -> dict[str, ModuleType]:
    """Name → module of each fuzzer."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))
    return {name: importlib.import_module(f"{__name__}.{name}") for name in names}


def run(fuzzer: ModuleType, cases: int, seconds: float = float("inf"), start: int = 0) -> Counter:
    """Try that many cases, or as many as the time allows: what came of them → how often.

    A case that fails is shrunk by hypothesis, and raised.
    """
    outcomes, end, number = Counter(), time.monotonic() + seconds, start
    while sum(outcomes.values()) < cases and time.monotonic() < end:
        batch = min(cases - sum(outcomes.values()), 1000)

        @seed(number)
        @settings(
            max_examples=batch,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(fuzzer.CASE)
        def trial(case):
            outcomes[fuzzer.check(case)] += 1

        trial()
        number += 1
    return outcomes
