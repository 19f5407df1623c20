"""An assignment by somebody who had read docs/writing-assignments.md, and nothing else of this."""

from __future__ import annotations

from pathlib import Path

from grader.assignment import find
from grader.authoring import review

HOME = Path(__file__).parents[1] / "newcomer"


def test_it_is_right():
    found = review(find("columns", HOME), jobs=2, progress=lambda *_: None)
    assert found.faults == []
    assert found.advice == []
    told = {finding.part: finding.told for finding in found.findings}
    assert told["reference"].startswith("7 of 7 points for code, 3 of 3 points suggested")
    assert told["wrong hand-ins"] == "9, each loses what it says"
