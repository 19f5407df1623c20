"""What one run of `grade` knows, and what it has to do for each hand-in."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from grader import intake
from grader.assignment import Assignment
from grader.records import Json, Score
from grader.rubric import Rubric
from grader.sandbox.host import Launcher

HashesByName = dict[str, str]


@dataclass(frozen=True)
class Run:
    """What is the same for every hand-in of a run.

    `workspace` is for files that are gone after the run; `made_from` are the hashes that all
    hand-ins share. There is a `launcher` only where student code is to be run.
    """

    assignment: Assignment
    rubric: Rubric
    settings: intake.ClassSettings
    out: Path
    seed: str
    workspace: Path
    made_from: HashesByName
    launcher: Launcher | None = None
    protections: Json = field(default_factory=dict)  # of the sandboxes

    def share_lost(self, late: intake.Lateness | None) -> float:
        """What the rubric takes for being late; nothing where it is not known how late it was."""
        policy = self.rubric.late
        if policy is None or late is None or late.seconds is None:
            return 0.0
        return policy.share(late.seconds)


class Need(Enum):
    """What has to be done for a hand-in's result to be that of now."""

    NOTHING = "nothing"
    SCORING = "scoring"  # what was observed stands, but not the points or words
    RUNNING = "running"


@dataclass(frozen=True)
class Job:
    """One hand-in to be graded, and the hashes of what its result will follow from."""

    entry: intake.Entry
    made_from: HashesByName
    need: Need


@dataclass(frozen=True)
class Graded:
    """A hand-in's score, without the long parts; what failed on our side; what was passed over."""

    score: Score
    fault: str | None = None
    ignored: tuple[str, ...] = ()
