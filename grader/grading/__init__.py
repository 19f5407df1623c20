"""Grades a class: brings a results folder up to date with a folder of hand-ins."""

from grader.grading.classes import confirm, grade_class
from grader.grading.plan import Choice, read_moment

__all__ = ["Choice", "confirm", "grade_class", "read_moment"]
