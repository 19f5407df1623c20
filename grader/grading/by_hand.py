"""What class.toml says of single hand-ins, as the report of the class lists it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import PurePath

import attrs

from grader import intake
from grader.grading.run import Run
from grader.judge import Directions
from grader.records import Kind
from grader.reports import ByHand


def by_hand(run: Run, found: intake.ClassFolder) -> Iterator[ByHand]:
    """Everything that is said, by hand-in; points by criterion, files by what they are."""
    entries = {entry.id: entry for entry in found.entries}
    for key, override in sorted(run.settings.overrides.items()):
        if override.name is not None:
            yield ByHand(key, "name", override.name, override.reason)
        if (entry := entries.get(key)) is not None:
            yield from _in_time(run, entry, override)
        yield from _files(run, key, override)
        if override.arguments:
            said = Directions(arguments=override.arguments).given
            code = tuple(c.id for c in run.rubric.criteria if c.kind is Kind.CODE)
            yield ByHand(key, "arguments", said, override.reason, code)
        for criterion, given in override.points.items():
            said = f"{criterion}: {given.earned:g}"
            yield ByHand(key, "points", said, given.reason, (criterion,))


def _in_time(run: Run, entry: intake.Entry, override: intake.Override) -> Iterator[ByHand]:
    """An extension and an excuse, with what would be without them."""
    if override.deadline is not None:
        others = run.settings.overrides | {entry.id: attrs.evolve(override, deadline=None)}
        late = intake.lateness(entry, attrs.evolve(run.settings, overrides=others))
        yield _late(run, entry, "deadline", _moment(override.deadline), override.reason, late)
    if override.excused is not None:
        late = intake.lateness(entry, run.settings)
        yield _late(run, entry, "excused", "loses nothing by being late", override.excused, late)


def _late(
    run: Run,
    entry: intake.Entry,
    key: str,
    said: str,
    reason: str | None,
    late: intake.Lateness | None,
) -> ByHand:
    return ByHand(
        entry.id,
        key,
        said,
        reason,
        without=late.said if late else None,
        costs=run.share_lost(late),
    )


def _files(run: Run, key: str, override: intake.Override) -> Iterator[ByHand]:
    code = [c for c in run.rubric.criteria if c.kind is Kind.CODE]
    read = [c for c in run.rubric.criteria if c.kind is not Kind.CODE]
    for what, file in override.files.items():
        if what == intake.MODEL:
            meant = [c for c in code if c.task not in override.files]
        elif what == intake.REPORT:
            meant = read
        else:
            judged = intake.is_code(PurePath(file.partition(":")[0]))
            meant = [c for c in (code if judged else read) if c.task == what]
        ids = tuple(c.id for c in meant)
        yield ByHand(key, "files", f"{what}: {file}", override.reason, ids)


def _moment(deadline: datetime) -> str:
    """`2026-05-07 23:59`, with its zone where it has one."""
    zone = deadline.strftime("%z") if deadline.tzinfo else ""
    return f"until {deadline:%Y-%m-%d %H:%M} {zone}".rstrip()
