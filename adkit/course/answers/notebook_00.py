"""Exercises of notebook 00."""

from adkit.course.answers import Exercise

EXERCISES: dict[str, Exercise] = {}
