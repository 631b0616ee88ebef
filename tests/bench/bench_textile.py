"""Frames a second of the procedural textile, 176 x 976, on one core."""

import os
from time import perf_counter

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read when NumPy is first imported
    os.environ.setdefault(name, "1")

from adkit.data.textile import FABRICS, KINDS, Textile  # noqa: E402

FRAMES = 20


def rate(textile: Textile, kinds: tuple[str | None, ...]) -> float:
    """Frames a second, the kinds in turn, the first frame left out."""
    textile.draw(0, kinds[0])
    start = perf_counter()
    for index in range(FRAMES):
        textile.draw(index, kinds[index % len(kinds)])
    return FRAMES / (perf_counter() - start)


def main() -> None:
    """Print frames a second, clean and defective, for each fabric."""
    print(f"{'fabric':<12}{'clean':>8}{'defective':>11}   frames/s, 176 x 976, one core")
    for fabric in FABRICS:
        textile = Textile(fabric)
        print(f"{fabric:<12}{rate(textile, (None,)):8.0f}{rate(textile, KINDS):11.0f}")


if __name__ == "__main__":
    main()
