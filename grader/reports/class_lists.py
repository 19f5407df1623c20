"""The lists of the report of a class: who needs a look, who was late, what was passed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.records import Outcome, Score, State
from grader.reports.class_facts import ClassFacts
from grader.reports.sections import Column, Section
from grader.reports.text import is_printable, one_line

_WHO = (Column("hand-in", 0.13), Column("name", 0.23))
_NAMED = 80  # of the roster, in one sentence
_MOST = 15  # rows of what needs a look first, of each kind


def undecided_by_us(score: Score) -> list[str]:
    """The criteria that wait because our grader failed, or its tries did not agree."""
    errors = (c for c in score.criteria if c.outcome is Outcome.ERROR)
    return [c.id for c in errors if c.state is not State.FINAL]


def to_look_at(scores: Sequence[Score]) -> Iterator[Section]:
    """Whoever needs a look before others: our faults, hand-ins that cannot be read, odd code."""
    ours = [(s, ", ".join(undecided_by_us(s))) for s in scores if undecided_by_us(s)]
    text = "The grader failed, or two tries did not agree; review.csv says more."
    yield _first("not decided, our fault", text, "criteria", ours, rest="review.csv")
    unread = [(s, s.problem) for s in scores if s.problem]
    yield _first("cannot be read", "", "why", unread)
    odd = [(s, _odd(s.suspicions)) for s in scores if s.suspicions]
    text = "It moves no point, and may have good reasons."
    yield _first("found in code", text, "what", odd)


def _first(
    what: str, text: str, head: str, found: Sequence[tuple[Score, str]], rest: str = "gradebook.csv"
) -> Section:
    rows = [(*_who(score), why) for score, why in found]
    columns = (*_WHO, Column(head, 0.64))
    return Section(f"Look first: {what}", text if rows else "", columns, rows, _MOST, rest)


def _odd(suspicions: Sequence[str]) -> str:
    first, *others = suspicions
    return one_line(first, 300) + (f" (and {len(others)} more)" if others else "")


def late(facts: ClassFacts, scores: Sequence[Score]) -> Section:
    """Who was late or excused, and what it cost."""
    meant = [s for s in scores if s.late or s.excused]
    lost = sum(s.late_points for s in meant)
    rows = [
        (
            *_who(score),
            "; ".join(filter(None, (score.late, score.excused and f"excused: {score.excused}"))),
            f"−{score.late_points:g}" if score.late_points else "",
            f"{score.total:g}",
        )
        for score in meant
    ]
    columns = (
        *_WHO,
        Column("how late", 0.44),
        Column("costs", 0.1, figures=True),
        Column("points", 0.1, figures=True),
    )
    count = sum(s.late is not None for s in meant)
    costs = f"it costs {lost:g} points in all" if facts.costs_late else "it costs nothing"
    text = f"{_hand_ins(count)} late; by this rubric {costs}." if count else ""
    return Section("Late", text, columns, rows)


def attempts(facts: ClassFacts, scores: Sequence[Score]) -> Section:
    """Of whom there are several attempts."""
    names = dict(map(_who, scores))
    rows = [(id_, names.get(id_, ""), note) for id_, note in facts.attempts.items()]
    return Section(
        "Several attempts",
        columns=(*_WHO, Column("what counts", 0.64)),
        rows=rows,
        rest="class.json",
    )


def roster(facts: ClassFacts) -> Section:
    """Who of the roster handed in nothing, and who handed in without being in it."""
    missing = [f"{s.name} ({s.id})" if s.name else s.id for s in facts.missing]
    texts = []
    if missing:
        texts.append(f"{len(missing)} handed in nothing: {_named(missing)}.")
    if facts.unlisted:
        count = len(facts.unlisted)
        texts.append(f"{_hand_ins(count)} not in the roster: {_named(facts.unlisted)}.")
    return Section("Roster", " ".join(texts))


def ignored(facts: ClassFacts, scores: Sequence[Score]) -> Section:
    """What was passed over, in the folder of the class and in hand-ins."""
    lines = [*facts.ignored, *(line for score in scores for line in score.ignored)]
    return Section(
        "Ignored",
        columns=(Column("what, and why", 1.0),),
        rows=[(line,) for line in lines],
        rest="class.json and each score.json",
    )


def _who(score: Score) -> tuple[str, str]:
    """Id and name; none where our faces cannot print it rightly."""
    name = score.student.name or ""
    return score.submission, name if is_printable(name) else ""


def _hand_ins(count: int) -> str:
    return "1 hand-in is" if count == 1 else f"{count} hand-ins are"


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(one_line(name, 60) for name in names[:_NAMED])
    others = len(names) - _NAMED
    return f"{shown} and {others} more, in class.json" if others > 0 else shown
