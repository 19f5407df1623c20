"""Tables for the instructor: the gradebook, the sheet on which a person decides the rest, and what
hand-ins have in common.
"""

from grader.exports.decisions import Decision, apply_decisions, carry_decisions
from grader.exports.drafts import NO_DRAFTS, Drafts, FilledIn, Place, read_filled_in
from grader.exports.gradebook import write_gradebook
from grader.exports.review_sheet import read_review, write_review
from grader.exports.similar_sheet import write_similar

__all__ = [
    "NO_DRAFTS",
    "Decision",
    "Drafts",
    "FilledIn",
    "Place",
    "apply_decisions",
    "carry_decisions",
    "read_filled_in",
    "read_review",
    "write_gradebook",
    "write_review",
    "write_similar",
]
