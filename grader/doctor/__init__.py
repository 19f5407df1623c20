"""`grade doctor`: what this machine can do, and what hostile programs can do to it."""

from grader.doctor.machine import Fact, facts
from grader.doctor.trial import Finding, program_names, try_program

__all__ = ["Fact", "Finding", "facts", "program_names", "try_program"]
