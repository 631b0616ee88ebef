"""Frames a second of the procedural textile, 176 x 976, on one core: ``python -m tests.bench.bench_textile``."""

from threadpoolctl import threadpool_limits

from adkit.data.textile import DEFECT_TYPES, FABRICS, Textile
from tests.bench.rows import markdown, row, seconds

FRAMES = 20


def rate(textile: Textile, kinds: tuple[str | None, ...]) -> float:
    """Frames a second, the kinds in turn, the first frame left out."""
    textile.weave(0, kinds[0])
    frames = iter(range(FRAMES))

    def draw() -> None:
        index = next(frames)
        textile.weave(index, kinds[index % len(kinds)])

    return 1 / seconds(draw, FRAMES)


def main() -> list[dict]:
    """A row for each fabric: the slower of clean and defective frames counts."""
    rows = []
    with threadpool_limits(1):
        for fabric in FABRICS:
            textile = Textile(fabric)
            clean, defective = rate(textile, (None,)), rate(textile, DEFECT_TYPES)
            note = f"clean {clean:.0f}, defective {defective:.0f}"
            rows.append(row(f"textile, {fabric}, frames/s on one core", ours=min(clean, defective),
                            target="≥ 25", note=note))  # fmt: skip
    return rows


if __name__ == "__main__":
    print(markdown(main()))
