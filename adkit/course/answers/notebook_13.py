"""Exercises of notebook 13."""

import math

from adkit.course.answers import Exercise
from adkit.data.tiling import tile_positions


def cheapest(cuts: list[dict]) -> float:
    """The lowest cost of a piece, in €, of some thresholds."""
    costs = []
    for row in cuts:
        alarms, missed = row["alarms"] / max(row["normal"], 1), 1 - row["found"] / max(row["anomalous"], 1)
        costs.append(0.99 * 2 * alarms + 0.01 * 50 * missed)
    return min(costs)


EXERCISES = {
    "1": Exercise(
        expected=math.ceil(math.log(0.05) / math.log(0.95)),
        hint="Each of the n scores lies below the true 95th percentile with a chance of 0.95, and all of them do with "
        "0.95 to the power of n.",
        solution="my_pieces = math.ceil(math.log(0.05) / math.log(0.95))",
        why="About three over the rate: the rule of three. For a rate of 1 % it takes 299.",
        wrong=[
            (20, "one in twenty is the rate; with 20 pieces it is kept in two cases of three only"),
            (58, "with 58 the chance is still a little above 5 %; round up"),
        ],
    ),
    "2": Exercise(
        expected=len(tile_positions((176, 976), (128, 128), 32)),
        hint="Rows times columns. Tiles start at most 96 pixels apart, and the last one ends at the border.",
        solution="rows = 1 + math.ceil((176 - 128) / 96)\ncolumns = 1 + math.ceil((976 - 128) / 96)\n"
        "my_tiles = rows * columns",
        why="`load_dataset(..., tile=128, overlap=32)` moves the starts closer together, so that the last fits.",
        wrong=[
            (10, "one row of tiles leaves 48 rows of pixels uncovered"),
            (16, "without an overlap the last columns and rows would need tiles of another size"),
        ],
    ),
    "3": Exercise(
        expected=cheapest,
        given=("cuts",),
        hint="A good piece, 0.99 of all, costs 2 € times the rate of alarms; a defective one 50 € times the misses.",
        solution='costs = []\nfor row in cuts:\n    alarms = row["alarms"] / row["normal"]\n'
        '    missed = 1 - row["found"] / row["anomalous"]\n'
        "    costs.append(0.99 * 2 * alarms + 0.01 * 50 * missed)\nmy_cost = min(costs)",
        tolerance=1e-3,
        why="Where defects are rare, a false alarm on good pieces is what is paid for every day.",
    ),
}
