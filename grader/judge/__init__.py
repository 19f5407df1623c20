"""Judges one hand-in: draws challenges, checks numbers itself, awards points.

It talks to worker processes and never imports student code. Its arithmetic is NumPy's, in
float64: independent of torch, and of whatever a student's process does to it.
"""

from grader.judge.challenge import fresh_seed, generator
from grader.judge.directions import Directions, Said
from grader.judge.judging import judge
from grader.judge.verdict import Verdict, rescore

__all__ = ["Directions", "Said", "Verdict", "fresh_seed", "generator", "judge", "rescore"]
