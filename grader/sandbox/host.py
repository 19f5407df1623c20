"""The grader's side of a worker: starts it, asks it, bounds what it may take, kills it.

Works wherever Python does: pipes are read by threads, so nothing here needs `fork`,
`select` on pipes or resource limits. The grader adds those through `launch`.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from grader.errors import InternalError
from grader.records import Json
from grader.sandbox.ended import Ended, Reason, Run
from grader.sandbox.limits import Limits
from grader.sandbox.options import WorkerOptions
from grader.sandbox.protocol import Frame, FrameError, frame_bytes, read_frame
from grader.sandbox.request import Request

OUTPUT_KEPT = 64 * 1024
OUTPUT_LIMIT = 16 * 1024 * 1024
START_SECONDS = 120.0


class WorkerLost(Exception):
    """The worker gave no answer, by the doing of the code in it.

    `reason` is "timeout", "died", "flood", "garbled", "memory", "disk" or "processes"; `output` is
    the end of what it printed.
    """

    def __init__(self, reason: str, message: str, output: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.output = output


@dataclass
class Started:
    """A running worker process as its launcher hands it over."""

    commands: IO[bytes]
    results: IO[bytes]
    output: IO[bytes]
    kill: Callable[[], None]  # it and all that it started
    wait: Callable[[float], Ended | None]  # how it ended, waiting at most so many seconds
    allow: Callable[[float], float] = lambda seconds: seconds
    """Bounds the work from now on, in seconds; returns how long to wait for it."""
    rest: Callable[[], object] = lambda: None
    """Says that no work is wanted for now, so that no time is counted against it."""
    limits: Limits = field(default_factory=Limits)


class Launcher(Protocol):
    """Starts processes for hand-ins."""

    def launch(self, folder: Path, options: WorkerOptions) -> Started:
        """Start a worker for the code in `folder`."""

    def run(
        self,
        request: Request,
        *,
        output_limit: int = OUTPUT_LIMIT,
        output_kept: int = OUTPUT_KEPT,
    ) -> Run:
        """Run one program to its end, and keep the end of what it prints."""


class Output:
    """The end of what a program prints, read until it closes the pipe; `kill` ends a flood."""

    def __init__(self, pipe: IO[bytes], kept: int, limit: int, kill: Callable[[], None]) -> None:
        self._pipe, self._kept, self._limit, self._kill = pipe, kept, limit, kill
        self._bytes = bytearray()
        self.flooded = False

    @property
    def end(self) -> bytes:
        return bytes(self._bytes)

    def drain(self) -> None:
        """Read all of it, and keep the end."""
        total = 0
        while chunk := self._pipe.read1(65536):  # type: ignore[attr-defined]
            total += len(chunk)
            self._bytes += chunk
            del self._bytes[: -self._kept]
            if total > self._limit and not self.flooded:
                self.flooded = True
                self._kill()


class Worker:
    """One worker process, asked one question at a time.

    A thread serves each of its pipes, because the code in it may stop reading, never write, or
    write without end. The thread closes its pipe when the other end is closed.
    """

    def __init__(self, started: Started) -> None:
        self._started = started
        self._requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        # Room for an answer, and for the end that may follow at once.
        self._answers: queue.Queue[Frame | FrameError | None] = queue.Queue(maxsize=2)
        self._output = Output(started.output, OUTPUT_KEPT, OUTPUT_LIMIT, started.kill)
        self._overrun = False
        self._closed = False
        self._writer = _serve(started.commands, self._write)
        self._reader = _serve(started.results, self._read)
        self._drainer = _serve(started.output, self._output.drain)
        ready = self._next(START_SECONDS)
        if not isinstance(ready, tuple) or ready[0].get("status") != "ready":
            self.close()
            raise InternalError(
                "a worker process did not start",
                found=self.output or "no output",
                do="check that torch can be imported in this environment",
            )

    @property
    def output(self) -> str:
        """The end of what the process printed, decoded as well as possible."""
        return self._output.end.decode("utf-8", "replace")

    def ask(self, request: Json, buffers: Sequence[bytes], *, seconds: float) -> Frame:
        """Send one request and wait for its answer. Raises WorkerLost; the worker is gone then.

        `seconds` are of processor time where the launcher can measure it, else of wall time.
        """
        token = secrets.token_hex(8)
        patience = self._started.allow(seconds)
        head = {"id": token, "seconds": seconds}
        self._requests.put(frame_bytes(request | head, buffers))
        answer = self._next(patience)
        if isinstance(answer, TimeoutError):
            raise self._lost("flood" if self._output.flooded else "timeout", seconds)
        if answer is None:
            raise self._lost("flood" if self._output.flooded else "died", seconds)
        if isinstance(answer, FrameError) or answer[0].get("id") != token:
            raise self._lost("garbled")
        self._started.rest()
        return answer

    def close(self) -> None:
        """End the process and everything in its group; once is enough, twice does no harm."""
        if self._closed:
            return
        self._closed = True
        self._started.kill()
        self._started.wait(5)
        self._requests.put(None)
        for thread in (self._writer, self._reader, self._drainer):
            thread.join(1)  # longer lives only what a process that left the group keeps open

    def _next(self, seconds: float) -> Frame | FrameError | TimeoutError | None:
        end = time.monotonic() + seconds
        while True:
            try:
                return self._answers.get(timeout=max(0.0, min(0.5, end - time.monotonic())))
            except queue.Empty:
                if self._overrun:
                    return FrameError("more answers than questions")
                if self._output.flooded or time.monotonic() >= end:
                    return TimeoutError()

    def _lost(self, reason: str, seconds: float = 0.0) -> WorkerLost:
        message = {
            "timeout": f"it did not finish within {seconds:g} s",
            "flood": f"it printed more than {OUTPUT_LIMIT >> 20} MB",
            "garbled": "it wrote to the pipe that is reserved for results",
        }.get(reason, "")
        if reason == "died":
            reason, message = self._how_it_ended(seconds)
            self._drainer.join(0.5)  # what it printed last
        self.close()
        return WorkerLost(reason, message, self.output)

    def _how_it_ended(self, seconds: float) -> tuple[str, str]:
        ended, limits = self._started.wait(1), self._started.limits
        match ended and ended.reason:
            case Reason.CPU:
                return "timeout", f"it did not finish within {seconds:g} s of computing"
            case Reason.WALL:
                return "timeout", "it did not finish in time; most of it, it waited for something"
            case Reason.MEMORY:
                return "memory", f"it used more than {limits.memory >> 20} MB of memory"
            case Reason.DISK:
                return "disk", f"it wrote more than {limits.scratch >> 20} MB"
            case Reason.PROCESSES:
                return "processes", f"it started more than {limits.processes} processes"
        return "died", f"the process ended in the middle ({ended or 'it closed its pipes'})"

    # -------------------------------------------------------------- one thread for each pipe

    def _write(self) -> None:
        while (request := self._requests.get()) is not None:
            try:
                self._started.commands.write(request)
                self._started.commands.flush()
            except OSError:
                return  # it is gone; whoever waits for its answer learns that from `_read`

    def _read(self) -> None:
        frame: Frame | FrameError | None
        while True:
            try:
                frame = read_frame(self._started.results)
            except FrameError as error:
                frame = error
            except OSError:
                frame = None
            if isinstance(frame, tuple) and not self._answers.empty():
                self._overrun = True  # one answer to one question: more would fill our memory
                self._started.kill()
                return
            self._answers.put_nowait(frame)
            if not isinstance(frame, tuple):
                return


def _serve(stream: IO[bytes], work: Callable[[], None]) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            with contextlib.suppress(OSError):  # what is still buffered has nowhere to go
                stream.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
