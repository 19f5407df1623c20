"""The processes in which a hand-in's code runs, and the time that is lost to those that hang."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from grader.checking.observations import ProbeFailed
from grader.judge.directions import Directions
from grader.judge.exchange import HINTS, Fault, Gap, Lost, exchange
from grader.records import Json
from grader.sandbox.host import Launcher, Worker
from grader.sandbox.options import WorkerOptions


class Key(NamedTuple):
    """Which worker: what it shows, and which way it reads the file."""

    options: WorkerOptions
    reading: int


@dataclass
class Workers:
    """Workers of one hand-in, each started when first needed.

    Time lost to time-outs is bounded in all: after `most_lost` seconds the remaining probes are
    not tried. What fails with arguments that class.toml `said` may come from those.
    """

    launcher: Launcher
    folder: Path
    most_lost: float
    said: Directions
    lost_seconds: float = 0.0  # so far, to time-outs
    _running: dict[Key, Worker] = field(default_factory=dict)
    _build_hangs: bool = False
    _hung_at: str | None = None  # the line of theirs at which it first hung

    def close(self) -> None:
        for worker in self._running.values():
            worker.close()
        self._running.clear()

    def get(self, key: Key) -> Worker:
        """The worker, started if need be; ProbeFailed where too much time was lost already."""
        if self.lost_seconds >= self.most_lost:
            raise ProbeFailed(
                f"earlier runs failed to finish within {self.most_lost:g} s in all: not tried",
                hint=HINTS["timeout"],
                where=self._hung_at,
                hung=True,
            )
        if key not in self._running:
            started = self.launcher.launch(self.folder, key.options)
            self._running[key] = Worker(started)
        return self._running[key]

    def running(self) -> list[Worker]:
        return list(self._running.values())

    def ask(self, key: Key, request: Json, buffers: Sequence[bytes], seconds: float) -> list[bytes]:
        """Put a request to a worker. Raises Fault, Gap or Lost; who was lost starts anew."""
        worker = self.get(key)
        began = time.monotonic()
        try:
            return exchange(worker, request, buffers, seconds=seconds)
        except Fault as fault:
            self._refuse_to_blame(key, fault)
            raise
        except Lost as lost:
            del self._running[key]
            if lost.reason == "timeout":
                self.lost_seconds += time.monotonic() - began
                self._hung_at = self._hung_at or lost.where
                self._build_hangs |= request["probe"] == "build"
            else:
                self._refuse_to_blame(key, lost)
            raise

    def ask_once(self, key: Key, request: Json, seconds: float) -> list[bytes]:
        """The same of a worker that is ended afterwards."""
        try:
            return self.ask(key, request, [], seconds)
        finally:
            if (used := self._running.pop(key, None)) is not None:
                used.close()

    @contextmanager
    def building_is_apart(self) -> Iterator[None]:
        """In here only time that building itself has lost counts."""
        lost = 0.0 if self._build_hangs else self.lost_seconds
        self.lost_seconds -= lost
        try:
            yield
        finally:
            self.lost_seconds += lost

    def _refuse_to_blame(self, key: Key, error: ProbeFailed) -> None:
        """Raise Gap for what fails with arguments of class.toml: it may come from those."""
        if self.said.arguments and not error.blocked and not key.options.dry:
            why = f"with {self.said.given}, as class.toml says, {error}"
            raise Gap({"message": why, "details": error.operator}) from error
