"""What the hand-ins of a class have in common: compared once they are graded, and kept.

Nothing is compared again until a result, what was given or the library has changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from pathlib import Path

from grader import intake, similarity
from grader.assignment import Assignment
from grader.files import write_json
from grader.grading import fingerprint, results
from grader.grading.observed import read_observed
from grader.records import InCommon, Json, Kind, Likeness, Score, Similar

FILE = "similar.json"
SCHEMA = 1
_TEXTS = {".md", ".txt", ".py", ".toml"}


def read(out: Path) -> Similar:
    """What the latest run found; nothing where there was none."""
    return _stored(out)[1]


def bring_up_to_date(out: Path, assignment: Assignment, scores: Collection[Score]) -> Similar:
    """Compare all hand-ins with results in `out`. Never raises for what stands in them."""
    made_from = fingerprint.of_comparison(assignment, scores)
    before, found = _stored(out)
    if before == made_from:
        return found
    try:
        found = _compared(out, assignment, scores)
    except Exception as error:  # whatever it is, it is ours: the class is graded all the same
        return Similar(fault=f"{type(error).__name__}: {error}")
    write_json(out / FILE, {"schema": SCHEMA, "made_from": made_from} | asdict(found))
    return found


def _stored(out: Path) -> tuple[str | None, Similar]:
    """What was compared, and what came of it."""
    try:
        data = json.loads((out / FILE).read_text("utf-8"))
        if data.pop("schema") != SCHEMA:
            return None, Similar()
        made_from = data.pop("made_from")
        found = tuple(_in_common(one) for one in data.pop("in_common"))
        return made_from, Similar(found, **data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None, Similar()  # of another version, or of nobody: all is compared


def _in_common(data: Json) -> InCommon:
    tuples: Json = {name: tuple(data[name]) for name in ("shares", "where")}
    tuples["criteria"] = tuple(tuple(own) for own in data["criteria"])
    return InCommon(**data | tuples | {"kind": Likeness(data["kind"])})


# ---------------------------------------------------------------------- comparing


def _compared(out: Path, assignment: Assignment, scores: Collection[Score]) -> Similar:
    return similarity.compare(list(_hand_ins(out, scores)), given(assignment))


def _hand_ins(out: Path, scores: Collection[Score]) -> Iterator[similarity.HandedIn]:
    """What was read of each hand-in, in the order of ids."""
    for short in sorted(scores, key=lambda score: score.submission):
        observed = read_observed(out / short.submission)
        score = results.read(out, short.submission)
        if observed is None or score is None:
            continue
        if observed.made_from != fingerprint.observed_part(score.made_from):
            continue  # of an earlier hand-in; this one could not be graded
        tables = {c.id: c.found for c in score.criteria if c.kind is Kind.TABLE and c.found}
        yield similarity.HandedIn(score.submission, observed.code, observed.report.pages, tables)


def given(assignment: Assignment) -> similarity.Given:
    """The starter files, and the words of the task as template and rubric have them."""
    template, rubric = assignment.template, assignment.checks
    code = sorted(f.relative_to(template) for f in template.rglob("*") if f.suffix in intake.CODE)
    files = [*template.rglob("*"), *rubric.glob("*")]  # wrong hand-ins, below, are nobody's base
    texts = sorted(file for file in files if file.suffix in _TEXTS)
    words = "\n".join(file.read_text("utf-8", "replace") for file in texts)
    return similarity.Given(tuple(intake.code_text(template, code).values()), words)
