"""For those who write assignments: a beginning of one, and what is wrong with one."""

from grader.authoring.review import Finding, Review, review
from grader.authoring.starter import write_starter

__all__ = ["Finding", "Review", "review", "write_starter"]
