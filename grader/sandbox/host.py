"""The grader's side of a worker: starts it, asks it, bounds what it may take, kills it.

Works wherever Python does: pipes are read by threads, so nothing here needs `fork`,
`select` on pipes or resource limits. The grader adds those through `launch`.
"""

from __future__ import annotations

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

from grader.errors import InternalError
from grader.records import Json
from grader.sandbox.protocol import Frame, FrameError, read_frame, write_frame

OUTPUT_KEPT = 64 * 1024
OUTPUT_LIMIT = 16 * 1024 * 1024
START_SECONDS = 120.0


class WorkerLost(Exception):
    """The worker gave no answer, by the doing of the code in it.

    `reason` is "timeout", "died", "flood" or "garbled"; `output` is the end of what it printed.
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
    kill: Callable[[], None]  # the whole process group
    wait: Callable[[float], str | None]  # how it ended, waiting at most so many seconds


class Launcher(Protocol):
    """Starts worker processes for one hand-in."""

    def launch(self, folder: Path, gpus: int, *, collapse: bool) -> Started:
        """Start a worker that shows `gpus` GPUs to the code in `folder`."""


@dataclass(frozen=True)
class ColdLauncher:
    """A new interpreter per worker, with the environment as given. Needs no POSIX."""

    environment: dict[str, str]
    limits: str | None = None  # JSON for `grader.sandbox.limits`

    def launch(self, folder: Path, gpus: int, *, collapse: bool) -> Started:
        command = [sys.executable, "-m", "grader.sandbox.worker"]
        command += ["--folder", str(folder), "--gpus", str(gpus)]
        command += ["--collapse"] if collapse else []
        command += ["--limits", self.limits] if self.limits else []
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            start_new_session=os.name == "posix",
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        return Started(
            process.stdin,
            process.stdout,
            process.stderr,
            kill=lambda: _kill_group(process),
            wait=lambda seconds: _end(process, seconds),
        )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # all of it has ended already
    else:
        process.kill()


def _end(process: subprocess.Popen[bytes], seconds: float) -> str | None:
    try:
        return describe_exit(process.wait(seconds))
    except subprocess.TimeoutExpired:
        return None


def describe_exit(code: int) -> str:
    """An exit status in words: negative numbers are signals, as in `subprocess`."""
    if code < 0:
        return f"killed by signal {-code} ({signal.Signals(-code).name})"
    return f"exit code {code}"


class Worker:
    """One worker process, asked one question at a time."""

    def __init__(self, started: Started) -> None:
        self._started = started
        self._answers: queue.Queue[Frame | FrameError | None] = queue.Queue()
        self._output = bytearray()
        self._flooded = False
        self._threads = [
            threading.Thread(target=run, daemon=True) for run in (self._read, self._drain)
        ]
        for thread in self._threads:
            thread.start()
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
        return bytes(self._output).decode("utf-8", "replace")

    def ask(self, request: Json, buffers: Sequence[bytes], *, seconds: float) -> Frame:
        """Send one request and wait for its answer. Raises WorkerLost; the worker is gone then."""
        token = secrets.token_hex(8)
        try:
            write_frame(self._started.commands, request | {"id": token}, buffers)
        except OSError:
            raise self._lost("died") from None
        answer = self._next(seconds)
        if isinstance(answer, TimeoutError):
            raise self._lost("flood" if self._flooded else "timeout", seconds)
        if answer is None:
            raise self._lost("flood" if self._flooded else "died")
        if isinstance(answer, FrameError) or answer[0].get("id") != token:
            raise self._lost("garbled")
        return answer

    def close(self) -> None:
        """End the process and everything it started."""
        self._started.kill()
        self._started.wait(5)
        for thread in self._threads:
            thread.join(5)
        for stream in (self._started.commands, self._started.results, self._started.output):
            try:
                stream.close()
            except BrokenPipeError:
                continue  # what was still to be sent has nowhere to go

    def _next(self, seconds: float) -> Frame | FrameError | TimeoutError | None:
        end = time.monotonic() + seconds
        while True:
            try:
                return self._answers.get(timeout=max(0.0, min(0.5, end - time.monotonic())))
            except queue.Empty:
                if self._flooded or time.monotonic() >= end:
                    return TimeoutError()

    def _lost(self, reason: str, seconds: float = 0.0) -> WorkerLost:
        if reason == "died":
            self._threads[1].join(2)  # what it printed last
            end = self._started.wait(2) or "it closed its pipes"
            message = f"the process ended in the middle ({end})"
        else:
            message = {
                "timeout": f"it did not finish within {seconds:g} s",
                "flood": f"it printed more than {OUTPUT_LIMIT >> 20} MB",
                "garbled": "it wrote to the pipe that is reserved for results",
            }[reason]
        self.close()
        return WorkerLost(reason, message, self.output)

    def _read(self) -> None:
        while True:
            try:
                frame = read_frame(self._started.results)
            except (FrameError, ValueError, OSError) as error:
                self._answers.put(error if isinstance(error, FrameError) else None)
                return
            self._answers.put(frame)
            if frame is None:
                return

    def _drain(self) -> None:
        total = 0
        while chunk := self._started.output.read1(65536):  # type: ignore[attr-defined]
            total += len(chunk)
            self._output += chunk
            del self._output[:-OUTPUT_KEPT]
            if total > OUTPUT_LIMIT and not self._flooded:
                self._flooded = True
                self._started.kill()
