"""Tables for the instructor: the gradebook, and the sheet on which a person decides the rest."""

from grader.exports.decisions import Decision, apply_decisions
from grader.exports.gradebook import write_gradebook
from grader.exports.review_sheet import keep_filled_in, read_review, write_review

__all__ = [
    "Decision",
    "apply_decisions",
    "keep_filled_in",
    "read_review",
    "write_gradebook",
    "write_review",
]
