"""Writes assignments.md: every criterion, what decides it, and which wrong hand-in proves that.

    python docs/make_assignments.py

A test holds the page to the rubrics, the checks and `wrong/*/loses.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.assignment import Assignment, assignments, built_in
from grader.authoring.agreement import decided_by
from grader.authoring.wrong import Wrong, proofs, wrong_hand_ins
from grader.checking.cases import Check
from grader.checking.run import checks_in
from grader.records import Kind
from grader.rubric import Criterion, load_rubric

PAGE = Path(__file__).with_name("assignments.md")
_NAMED = 3  # wrong hand-ins that are named; the rest is counted


def page() -> str:
    """The whole page: one table."""
    found = [one for one in assignments(built_in()) if one.home == built_in()]
    return "\n".join(
        [
            "# The assignments, criterion by criterion",
            "",
            "What is `code` is decided by its check, and final. All else is found in the report:",
            "cues of the rubric or a check suggest points, and a person confirms them. A wrong",
            "hand-in proves a check by losing what it decides; those that lose little else come",
            "first.",
            "",
            "| assignment | criterion | | points | kind | decided by | proved by |",
            "|---|---|---|---|---|---|---|",
            *(line for assignment in found for line in lines(assignment)),
            "",
        ]
    )


def lines(assignment: Assignment) -> Iterator[str]:
    rubric = load_rubric(assignment)
    checks = checks_in(assignment.checks)
    wrong = wrong_hand_ins(assignment, rubric)
    for c in rubric.criteria:
        cells = (
            *(assignment.name, f"`{c.id}`", c.title.replace("|", "\\|"), f"{c.points:g}", c.kind),
            *(decided(assignment, c, checks), proved(assignment, c, wrong)),
        )
        yield f"| {' | '.join(cells)} |"


def decided(assignment: Assignment, criterion: Criterion, checks: Sequence[Check]) -> str:
    by = [
        f"[{file.name}]({_link(assignment, file)}): {name.removeprefix('test_').replace('_', ' ')}"
        + (f" ({len(cases)} cases)" if len(cases) > 1 else "")
        for (file, name), cases in decided_by(criterion.id, checks).items()
    ]
    if criterion.kind is Kind.CODE:
        return "; ".join(by)
    by += [] if by or not criterion.cue else [_cues(criterion)]
    return "; ".join([*by, "a person"])


def _cues(criterion: Criterion) -> str:
    cues = f"{len(criterion.cue)} cue" + ("" if len(criterion.cue) == 1 else "s")
    return f"{cues}, decisive" if all(cue.decisive for cue in criterion.cue) else cues


def proved(assignment: Assignment, criterion: Criterion, wrong: Sequence[Wrong]) -> str:
    found = proofs(criterion.id, wrong)
    if not found and criterion.kind is Kind.CODE:
        return "nothing yet"
    named = [f"[{one.name}]({_link(assignment, one.folder)})" for one in found[:_NAMED]]
    more = [f"{len(found) - _NAMED} more"] if len(found) > _NAMED else []
    return ", ".join([*named, *more])


def _link(assignment: Assignment, path: Path) -> str:
    return f"../{path.relative_to(assignment.home).as_posix()}"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
