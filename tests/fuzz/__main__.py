"""``python -m tests.fuzz [NAME …] [--minutes 10] [--cases 10000]``: each fuzzer for that long, or that many cases."""

import argparse
import resource
import time

from tests.fuzz import fuzzers, run


def main() -> None:
    known = fuzzers()
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="fuzz what is read from outside")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; default: all")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each at most (default 10)")
    parser.add_argument("--cases", type=int, default=10_000, help="of each at most (default 10000)")
    parser.add_argument("--seed", type=int, default=0, help="another seed tries other cases")
    chosen = parser.parse_args()
    if unknown := sorted(set(chosen.names) - set(known)):
        parser.error(f"no fuzzer is called {', '.join(unknown)}; there are {', '.join(known)}")
    for name in chosen.names or known:
        start = time.monotonic()
        outcomes = run(known[name], chosen.cases, 60 * chosen.minutes, chosen.seed)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{name}: {sum(outcomes.values())} cases in {time.monotonic() - start:.0f} s, peak {peak:.0f} MiB",
            flush=True,
        )
        for outcome, count in outcomes.most_common():
            print(f"  {count:>7} {outcome}", flush=True)


if __name__ == "__main__":
    main()
