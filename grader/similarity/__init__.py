"""What hand-ins of a class have in common beyond what all were given: code, measured times, words.

For the instructor, who judges it; it moves no point and no student reads of it. Works on texts
alone and runs nothing. All that it gets may be hostile: it is bounded in size by whoever hands
it in, and what is done here takes time in proportion.
"""

from grader.similarity.compare import MOST_PAIRS, compare, library_version
from grader.similarity.hand_ins import Given, HandedIn

__all__ = [
    "MOST_PAIRS",
    "Given",
    "HandedIn",
    "compare",
    "library_version",
]
