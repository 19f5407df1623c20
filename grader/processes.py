"""What several processes did that belong together: their traces as one. Standard library only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from grader.trace import Message, Trace, number, whole


@dataclass(frozen=True)
class Process:
    """One process of a run. `rank` is None for one that joined no others."""

    rank: int | None
    world: int | None
    pid: int
    trace: Trace

    @property
    def name(self) -> str:
        return f"process {self.pid}" if self.rank is None else f"rank {self.rank}"

    def to_json(self) -> dict[str, Any]:
        return {
            "rank": self.rank,
            "world": self.world,
            "pid": self.pid,
            "trace": self.trace.to_json(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Process:
        """ValueError where the data has another shape."""
        try:
            return cls(
                rank=number(data["rank"]),
                world=number(data["world"]),
                pid=whole(data["pid"]),
                trace=Trace.from_json(data["trace"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the trace of a process: {error!r}") from error


class Place(NamedTuple):
    """A device of one process; both ranks of a run on one machine may use its cuda:0."""

    rank: int | None
    device: int


class RankEdge(NamedTuple):
    """All bytes from one device to another, of the same process or of two."""

    source: Place
    target: Place
    copies: int
    bytes: int


@dataclass(frozen=True)
class Run:
    """The processes of one run, by rank; those without a rank come first."""

    processes: list[Process] = field(default_factory=list)

    @classmethod
    def of(cls, processes: Iterable[Process]) -> Run:
        return cls(sorted(processes, key=lambda p: (-1 if p.rank is None else p.rank, p.pid)))

    def rank(self, rank: int) -> Trace:
        """What that rank did, the last time if it was restarted; KeyError without a trace."""
        found = [process.trace for process in self.processes if process.rank == rank]
        if not found:
            raise KeyError(f"rank {rank} left no trace")
        return found[-1]

    def missing(self) -> list[int]:
        """Ranks that should have been there and left no trace."""
        worlds = [process.world or 0 for process in self.processes]
        seen = {process.rank for process in self.processes}
        return [rank for rank in range(max(worlds, default=0)) if rank not in seen]

    def gpus(self) -> dict[int, list[str]]:
        """By GPU, the processes that ran something on it."""
        users: dict[int, list[str]] = {}
        for process in self.processes:
            for gpu in process.trace.used():
                users.setdefault(gpu, []).append(process.name)
        return dict(sorted(users.items()))

    def edges(self) -> list[RankEdge]:
        """Copies inside each process, and what was sent from one to another."""
        edges = [
            RankEdge(Place(p.rank, e.source), Place(p.rank, e.target), e.count, e.bytes)
            for p in self.processes
            for e in p.trace.edges()
        ]
        return edges + self._sent()

    def _sent(self) -> list[RankEdge]:
        """The n-th message that a rank sends to another is the n-th that the other receives."""
        count: Counter[tuple[Place, Place]] = Counter()
        size: Counter[tuple[Place, Place]] = Counter()
        arrivals: dict[tuple[int, int], list[Message]] = {}
        for process, message in self._messages("recv"):
            arrivals.setdefault((message.peer, process), []).append(message)
        for process, message in self._messages("send"):
            waiting = arrivals.get((process, message.peer), [])
            if waiting:
                pair = Place(process, message.device), Place(message.peer, waiting.pop(0).device)
                count[pair] += 1
                size[pair] += message.bytes
        return [RankEdge(*pair, count[pair], size[pair]) for pair in sorted(count)]

    def _messages(self, name: str) -> Iterator[tuple[int, Any]]:
        for process in self.processes:
            for message in process.trace.messages:
                if message.name == name and process.rank is not None:
                    yield process.rank, message

    def to_json(self) -> dict[str, Any]:
        return {"processes": [process.to_json() for process in self.processes]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Run:
        """ValueError where the data has another shape."""
        try:
            return cls.of(Process.from_json(row) for row in data["processes"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the traces of a run: {error!r}") from error
