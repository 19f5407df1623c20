"""What the processes of one program did that torchrun would have started: one after another, and
together. Standard library only, as `grader.program`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from grader.iterations import Iteration, iterations
from grader.program import Event, Kind, Program, words
from grader.trace import whole

_MOST = 64  # processes
#: What a rank says whose partner is gone: not its own mistake.
_LEFT_ALONE = re.compile(
    r"closed by peer|reset by peer|broken pipe|connection (was )?(closed|lost)", re.I
)
_POINT_TO_POINT = ("send", "recv", "recv_any_source")
#: Of these all ranks have equally much.
_EQUAL = ("allreduce", "allreduce_coalesced", "reduce", "broadcast", "allgather")
#: torch.distributed's words for what it calls by others inside.
_WORDS = {"allreduce": "all_reduce", "allgather": "all_gather", "alltoall": "all_to_all"}


@dataclass(frozen=True)
class Ranks:
    """The processes of one program that was started as torchrun does, by rank.

    Those in `ended` did not come to their own end: of them there are events only, and words for how
    they ended: "was still at sample.py, line 4". `hung` says that they had to be ended.
    """

    file: str
    gpus: int
    processes: list[Program]
    ended: dict[int, str] = field(default_factory=dict)
    hung: bool = False

    # ------------------------------------------------------------------ training

    def iterations(self) -> list[list[Iteration]]:
        """The iterations of each rank."""
        return [iterations(process) for process in self.processes]

    def collectives(self) -> list[list[Event]]:
        """The collectives of each rank, in order; sends and receives are none."""
        return [
            [event for event in process.of(Kind.COLLECTIVE) if event.text not in _POINT_TO_POINT]
            for process in self.processes
        ]

    # ------------------------------------------------------------------ what went wrong

    def disagreement(self) -> str | None:
        """The first collective that ranks do not take part in alike; None where all agree.

        A rank that failed or ended before would have come to it, for all that is known.
        """
        ranks = self.collectives()
        for group in sorted({event.group for events in ranks for event in events}, key=str):
            members = range(len(ranks)) if group is None else group
            theirs = {
                rank: [event for event in ranks[rank] if event.group == group]
                for rank in members
                if rank < len(ranks)
            }
            if (told := self._differ(theirs)) is not None:
                return told
        return None

    def _differ(self, theirs: dict[int, list[Event]]) -> str | None:
        for n in range(max(map(len, theirs.values()), default=0)):
            calls = {
                rank: events[n] if n < len(events) else None
                for rank, events in theirs.items()
                if n < len(events) or not self._failed(rank)
            }
            if len(set(map(_what, calls.values()))) > 1:
                sizes = len({call and call.text for call in calls.values()}) == 1
                told = [f"rank {rank} {_said(call, sizes)}" for rank, call in calls.items()]
                return f"the ranks do not make the same calls: {', '.join(told)}"
        return None

    def _failed(self, rank: int) -> bool:
        """Whether it went no further by its own mistake."""
        problem = self.processes[rank].problem
        if problem is not None:
            return not _LEFT_ALONE.search(problem)
        return rank in self.ended and not self.ended[rank].startswith(STILL)

    def diagnosis(self) -> str | None:
        """Why it did not come to a good end, in words: which rank, which call, which line."""
        problems = [p.problem for p in self.processes]
        if not self.ended and not any(problems):
            return None
        own = [n for n in range(len(problems)) if self._failed(n)]
        disagreement = self.disagreement()
        told = [disagreement] if disagreement else []
        for rank, problem in enumerate(problems):
            # Of who was left alone nothing is told where it is known who left, and why.
            if problem and (rank in own or not (own or disagreement)):
                told.append(f"rank {rank}: {problem}")
        for rank, how in sorted(self.ended.items()):
            if rank in own or not own:  # who waits for one that failed is ended, as torchrun does
                told.append(f"rank {rank} {how}")
        return "; ".join(told)

    def advice(self) -> str | None:
        """What to try where ranks wait for one another or left each other alone."""
        why = self.diagnosis() or ""
        return next((advice for pattern, advice in _ADVICE if pattern.search(why)), None)

    # ------------------------------------------------------------------ JSON

    def brief(self) -> dict[str, Any]:
        """What is kept of it in a score."""
        return {
            "file": self.file,
            "gpus": self.gpus,
            "problem": self.diagnosis(),
            "ranks": [process.brief() for process in self.processes],
        }

    def to_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "gpus": self.gpus,
            "processes": [process.to_json() for process in self.processes],
            "ended": {str(rank): how for rank, how in self.ended.items()},
            "hung": self.hung,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Ranks:
        """ValueError where the data has another shape. It is not trusted."""
        try:
            rows, gpus = data["processes"], whole(data["gpus"])
            if len(rows) > _MOST:
                raise ValueError(f"{len(rows)} processes")
            processes = [Program.from_json(row) for row in rows]
            ended = {int(rank): words(how) for rank, how in data["ended"].items()}
            if not set(ended) <= set(range(len(rows))) or any(p.gpus != gpus for p in processes):
                raise ValueError("ranks, or GPUs, that there are not")
            return cls(words(data["file"]), gpus, processes, ended, data["hung"] is True)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what ranks did: {error!r}") from error


#: How the words begin for a rank that had to be ended.
STILL = "was still"

_ADVICE = tuple(
    (re.compile(pattern), advice)
    for pattern, advice in (
        (
            "do not make the same calls",
            "Every rank has to make the same calls in the same order: keep all_reduce, barrier and "
            "broadcast out of `if rank == 0`, and the tensors of all ranks in one shape.",
        ),
        (
            r"rank \d+ was still at .*init_process_group",
            "It waits for processes that are not there: leave rank and world_size out, torchrun "
            "tells them.",
        ),
        (
            r"rank \d+ was still at",
            "The ranks wait for one another, or a loop never ends: look at the lines named.",
        ),
        (
            r"rank \d+ (ended early|was killed)",
            "A process ended in the middle: by exit() or os._exit(), or by using too much memory.",
        ),
    )
)


def _what(call: Event | None) -> tuple[str, int] | None:
    """What must be the same on all ranks."""
    if call is None:
        return None
    return call.text, call.bytes if call.text in _EQUAL else 0


def _said(call: Event | None, sizes: bool) -> str:
    if call is None:
        return "none"
    name = _WORDS.get(call.text, call.text)
    size = f" of {call.bytes} bytes" if sizes else ""
    return f"calls {name}{size} at {place(call.line)}"


def place(line: str | None) -> str:
    """A line of an event, "sample.py:4", in words."""
    file, _, number = (line or "").rpartition(":")
    return f"{file}, line {number}" if file else "no line of it"
