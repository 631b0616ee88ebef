"""Exercises of notebook 12."""

from adkit.course.answers import Exercise


def mean_share(below: int, frames: int) -> float:
    """The mean of the share of good frames above a threshold, of a Beta distribution."""
    return (frames + 1 - below) / (frames + 1)


EXERCISES = {
    "1": Exercise(
        expected=2 * 86_400 * 0.05,
        hint="Frames a second, times the seconds of a day, times the share that is flagged.",
        solution="my_alarms = 2 * 24 * 60 * 60 * 0.05",
        why="One every ten seconds: nobody would look at them. A limit on the false alarms a day comes first.",
        wrong=[
            (86_400 * 0.05, "it is two frames a second"),
            (2 * 86_400, "this is the number of frames; 5 % of them are flagged"),
        ],
    ),
    "2": Exercise(
        expected=16 * 0.15,
        hint="One thread judges, one frame after the other, and the last one must be judged, too.",
        solution="my_wait = 16 * 0.15",
        why="The length of a queue is a promise of the longest wait; the next caller is refused at once instead.",
        wrong=[(15 * 0.15, "after the others, the last one still takes its own 0.15 s")],
    ),
    "3": Exercise(
        expected=mean_share,
        cases=[(38, 40), (95, 100), (40, 40)],
        hint="The mean of Beta(a, b) is a / (a + b).",
        solution="def my_mean(below, frames):\n    a, b = frames + 1 - below, below\n    return a / (a + b)",
        why="3 of 41 are 7 %, where 2 of 40 were seen to be 5 %: of few frames, expect more than you saw.",
    ),
}
