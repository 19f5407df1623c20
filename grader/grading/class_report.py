"""The report of a class: what it rests on, gathered, kept, and written as class.pdf."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader import __version__, intake
from grader.errors import InternalError
from grader.files import write_bytes, write_json
from grader.grading.by_hand import by_hand
from grader.grading.run import Run
from grader.records import Json, Score, Similar
from grader.reports import ClassFacts, Column, Counted, Section, render_class_pdf

REPORT, FACTS = "class.pdf", "class.json"


def update(run: Run, found: intake.ClassFolder, scores: Sequence[Score], similar: Similar) -> None:
    """Write class.pdf for a class and its scores, unless it says all that already.

    Raises InternalError where it cannot be made: all else is written by then, and stands.
    """
    with _our_fault(run.out):
        _write(run.out, _facts_of(run, found), scores, [_alike(similar)])


def rewrite(out: Path, scores: Sequence[Score], similar: Similar) -> None:
    """Write class.pdf again where only scores have changed: all else is in class.json.

    Raises InternalError as `update` does.
    """
    with _our_fault(out):
        try:
            facts = ClassFacts.from_json(_read(out))
        except ValueError:  # of another version, or none
            facts = ClassFacts.of_scores(scores)
        _write(out, facts, scores, [_alike(similar)])


def _alike(similar: Similar) -> Section:
    """Hand-ins with much in common: a line for each thing, all of a pair together."""
    shares = ("hand-in", "other hand-in", "in common", "how much", "where")
    widths = (0.14, 0.14, 0.12, 0.2, 0.4)
    rows = [
        (one.first, one.second, one.kind.value, one.amount, " / ".join(one.where))
        for one in similar.in_common
    ]
    pairs = "1 pair of hand-ins has" if similar.pairs == 1 else f"{similar.pairs} pairs have"
    told = f"{pairs} much in common: no verdict, a person looks." if rows else ""
    columns = [Column(head, share) for head, share in zip(shares, widths, strict=True)]
    return Section("Alike", told, columns, rows, rest="similar.csv")


@contextmanager
def _our_fault(out: Path) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # of any kind: a class is graded without it
        raise InternalError(
            f"{out / REPORT} could not be made",
            found=f"{type(error).__name__}: {error}",
            do="scores, reports and tables are there all the same",
        ) from error


def _facts_of(run: Run, found: intake.ClassFolder) -> ClassFacts:
    """What the report says of a class beside its scores."""
    return ClassFacts(
        run.assignment.name,
        run.rubric.title,
        __version__,
        tuple(Counted(c.id, c.title, c.points) for c in run.rubric.criteria),
        tuple(entry.id for entry in found.entries),
        found.missing,
        found.unlisted,
        dict(found.attempts),
        found.ignored,
        tuple(by_hand(run, found)),
        costs_late=run.rubric.late is not None,
    )


def _write(out: Path, facts: ClassFacts, scores: Sequence[Score], more: Sequence[Section]) -> None:
    """class.pdf, unless it says all this already; then class.json. `more` are other sections."""
    made_from = _hash(facts, scores, more)
    if (out / REPORT).exists() and _read(out).get("made_from") == made_from:
        return
    write_bytes(out / REPORT, render_class_pdf(facts, scores, more))
    write_json(out / FACTS, facts.to_json() | {"made_from": made_from})


def _read(out: Path) -> Json:
    try:
        data = json.loads((out / FACTS).read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _hash(facts: ClassFacts, scores: Sequence[Score], more: Sequence[Section]) -> str:
    said = [json.dumps(facts.to_json(), sort_keys=True), *map(repr, more)]
    found = hashlib.sha256("\0".join(said).encode("utf-8", "backslashreplace"))
    for score in scores:
        found.update(repr(_shown_of(score)).encode("utf-8", "backslashreplace"))
    return found.hexdigest()[:16]


def _shown_of(score: Score) -> tuple[Any, ...]:
    """What the report shows of a score, and the grader that wrote it."""
    criteria = [
        (c.id, c.points, c.earned, c.state, c.outcome, c.override, c.instead_of)
        for c in score.criteria
    ]
    late = (score.late, score.late_share, score.excused)
    day, grader = score.graded_at[:10], score.made_from.get("grader")
    return (score.submission, score.student, day, grader, *late, score.problem, criteria,
            score.suspicions, score.ignored)  # fmt: skip
