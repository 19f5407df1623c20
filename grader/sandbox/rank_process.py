"""One rank of a program: a process forked from this one, which says what it does as it does it.

What it says is not to be trusted: the hand-in's code runs there.
"""

from __future__ import annotations

import faulthandler
import json
import linecache
import os
import re
import select
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from grader.program import Event, Program, event_from_json
from grader.ranks import STILL, place
from grader.records import Json
from grader.sandbox.faults import InterfaceGap
from grader.sandbox.watching import MOST, Watch
from grader.trace import Trace

Job = Callable[[Watch], Program]

_LONGEST = 32 << 20  # bytes of one message
_MOST_HEARD = MOST + 2  # messages of an honest rank
_AT_ONCE = 16  # reads, so that one rank does not keep us from the others
_LAST = 1.0  # seconds to tell its line
_FAREWELL = 1.0  # seconds that a rank stays for the others: rank 0 holds what they meet by
_NAP = 0.1  # seconds that a rank sleeps at most: who sleeps for long looks as if it hung
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass
class RankProcess:
    """A rank as its parent knows it. `told` is what it said at its end, `status` how it ended.

    `garbled` says that it wrote what no rank of ours writes.
    """

    number: int
    folder: Path
    pid: int
    pipe: int
    stack: Path
    events: list[Event] = field(default_factory=list)
    told: Json | None = None
    status: int | None = None
    garbled: bool = False
    _begun: bytearray = field(default_factory=bytearray)
    _heard: int = 0

    @classmethod
    def start(
        cls, number: int, folder: Path, environment: Mapping[str, str], job: Job
    ) -> RankProcess:
        """Fork it. Raises OSError where there may be no more processes."""
        listening, telling = os.pipe()
        stack = Path(os.environ.get("TMPDIR", "/tmp")) / f"rank-{number}-{os.getpid()}"  # noqa: S108
        try:
            pid = os.fork()
        except OSError:
            os.close(listening)
            os.close(telling)
            raise
        if pid == 0:
            _live(folder, environment, job, telling, stack)
        os.close(telling)
        os.set_blocking(listening, False)
        return cls(number, folder, pid, listening, stack)

    # ------------------------------------------------------------------ while it lives

    def hear(self) -> bool:
        """Take what it has said by now; False where it can say no more, or is not listened to."""
        for _ in range(_AT_ONCE):
            try:
                data = os.read(self.pipe, 1 << 20)
            except BlockingIOError:
                return True
            if not data or self.garbled:
                return False
            self._take(data)
        return True

    def _take(self, data: bytes) -> None:
        self._begun += data
        if b"\n" not in data:
            self.garbled |= len(self._begun) > _LONGEST
            return
        *lines, rest = bytes(self._begun).split(b"\n")
        self._begun = bytearray(rest)
        self._heard += len(lines)
        self.garbled |= self._heard > _MOST_HEARD
        for line in [] if self.garbled else lines:
            try:
                self._understand(json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError):
                self.garbled = True

    def _understand(self, message: Any) -> None:
        if "event" in message:
            self.events.append(event_from_json(message["event"]))
        elif "program" in message:
            self.told = {"program": Program.from_json(message["program"])}
        else:
            self.told = {"gap": str(message["gap"])}

    def is_done(self) -> bool:
        """Whether it has said its last word, or is over; then all that it said is heard."""
        if self.told is None and self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.hear()
        return self.told is not None or self.status is not None

    def ask_for_line(self) -> None:
        """Have it write down where it is."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)

    def end(self) -> None:
        """Kill it where it lives, and leave nothing of it; twice does no harm."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1

    # ------------------------------------------------------------------ what came of it

    def program(self, file: Path, gpus: int) -> Program:
        """What it did; its events only where it came to no end of its own."""
        if self.garbled:
            problem = "it wrote to the pipe that is reserved for results"
            return Program(str(file), gpus, Trace(gpus), problem=problem, rank=self.number)
        if self.told is None:
            return Program(str(file), gpus, Trace(gpus), events=self.events, rank=self.number)
        program: Program = self.told["program"]
        return replace(program, rank=self.number)

    def left(self) -> str:
        """How it ended by itself before its program did, in words."""
        status = self.status or 0
        how = (
            f"was killed by {_signal(-status)}"
            if status < 0
            else f"ended early, with exit code {status}"
        )
        last = self.events[-1].line if self.events else None
        return f"{how}, after {place(last)}" if last else how

    def computes_for_torch(self, since: float) -> bool:
        """Whether code of torch, or ours below it, is at work, and not a loop of the hand-in."""
        frames = self._frames(since)
        return bool(frames) and not Path(frames[0][0]).is_relative_to(self.folder)

    def still(self, since: float) -> str:
        """Where it is, in words, once it was asked for its line at the time `since`."""
        for file, line in self._frames(since):
            if Path(file).is_relative_to(self.folder):
                code = linecache.getline(file, int(line)).strip()
                shown = place(f"{Path(file).relative_to(self.folder)}:{line}")
                return f"{STILL} at {shown}" + (f": {code}" if code else "")
        return f"{STILL} at no line of the hand-in"

    def _frames(self, since: float) -> list[tuple[str, str]]:
        """File and line of all that is at work, innermost first."""
        while True:
            with suppress(OSError):
                if text := self.stack.read_text(errors="replace").strip():
                    return _FRAME.findall(text)
            if time.monotonic() > since + _LAST:
                return []
            time.sleep(0.02)


def _signal(number: int) -> str:
    with suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


# ------------------------------------------------------------------ the child


def _live(
    folder: Path, environment: Mapping[str, str], job: Job, pipe: int, stack: Path
) -> NoReturn:
    """A rank's whole life. It keeps nothing open of its parent's but where it prints."""
    try:
        pipe = os.dup2(pipe, 3)
        os.closerange(4, 1 << 16)
        os.environ.update(environment)
        _sleep_less()
        faulthandler.register(signal.SIGUSR1, stack.open("w"), all_threads=False)
        tell = _Telling(pipe)
        ran = job(Watch(folder, lambda event: tell({"event": [*event]})))
        tell({"program": ran.to_json()})
        if ran.problem is None:
            select.select([], [], [], _FAREWELL)  # until it is ended
    except InterfaceGap as gap:
        tell({"gap": gap.message})
    except BaseException:  # ours
        tell({"gap": f"the grader failed: {traceback.format_exc()[-2000:]}"})
    finally:
        os._exit(0)


def _sleep_less() -> None:
    sleep = time.sleep
    setattr(time, "sleep", lambda seconds: sleep(min(seconds, _NAP)))  # noqa: B010


class _Telling:
    """Writes messages to the parent, of this process only and one after another."""

    def __init__(self, pipe: int) -> None:
        self._pipe, self._pid, self._lock = pipe, os.getpid(), threading.Lock()

    def __call__(self, message: Json) -> None:
        if os.getpid() != self._pid:
            return  # a process that the rank has started
        data = json.dumps(message).encode() + b"\n"
        with self._lock, suppress(OSError):  # closed by the code: it ends without a word
            while data:
                data = data[os.write(self._pipe, data) :]
