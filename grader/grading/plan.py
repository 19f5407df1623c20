"""What has to be done for each hand-in of a class, and for which one is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches

from grader import intake
from grader.errors import UsageError
from grader.grading import fingerprint
from grader.grading.observed import read_observed
from grader.grading.run import Job, Need, Run
from grader.records import Outcome, Score


@dataclass(frozen=True)
class Choice:
    """Which hand-ins to look at, and whether those are graded anew even where nothing changed.

    `only` are ids, all of them where it is empty; `since` leaves out what arrived before.
    """

    force: bool = False
    only: Sequence[str] = ()
    since: datetime | None = None
    seed: str | None = None  # one that was asked for

    def of(self, entries: Sequence[intake.Entry]) -> list[intake.Entry]:
        """The entries that are meant. Raises UsageError for an id that is not there."""
        ids = [entry.id for entry in entries]
        unknown = [_unknown(id_, ids) for id_ in self.only if id_ not in ids]
        if unknown:
            raise UsageError("\n".join(unknown), do="nothing was graded")
        meant = [entry for entry in entries if not self.only or entry.id in self.only]
        if self.since is None:
            return meant
        return [entry for entry in meant if _arrived_since(entry, self.since)]


def _arrived_since(entry: intake.Entry, since: datetime) -> bool:
    moment = intake.arrived(entry)
    return moment is None or moment >= since.timestamp()


def read_moment(text: str) -> datetime:
    """A date, or date and time, local where no zone is given. Raises UsageError."""
    try:
        if len(text.strip()) <= len("2026-04-30"):
            return datetime.combine(date.fromisoformat(text.strip()), time()).astimezone()
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError as error:
        raise UsageError(
            f"--since {text!r} is no date", expected="2026-04-30 or 2026-04-30T18:00"
        ) from error


def plan(
    run: Run, entries: Sequence[intake.Entry], old: Mapping[str, Score], choice: Choice
) -> Iterator[Job]:
    """What to do for each entry; `old` are the results that are there, by id."""
    for entry in entries:
        made_from = fingerprint.of_entry(run, entry)
        yield Job(entry, made_from, _need(run, entry, made_from, old.get(entry.id), choice))


def _need(
    run: Run,
    entry: intake.Entry,
    made_from: dict[str, str],
    old: Score | None,
    choice: Choice,
) -> Need:
    ours = old is not None and any(c.outcome is Outcome.ERROR for c in old.criteria)
    if choice.force or ours or (old and choice.seed not in (None, old.seed)):
        return Need.RUNNING
    if old is not None and old.made_from == made_from:
        return Need.NOTHING
    observed = read_observed(run.out / entry.id)
    if (
        observed is not None
        and observed.made_from == fingerprint.observed_part(made_from)
        and choice.seed in (None, observed.seed)
    ):
        return Need.SCORING
    return Need.RUNNING


def _unknown(id_: str, ids: Sequence[str]) -> str:
    near = get_close_matches(id_, ids, n=3, cutoff=0.5)
    meant = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"there is no hand-in {id_!r}{meant}"
