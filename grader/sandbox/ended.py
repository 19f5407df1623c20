"""How a sandboxed program came to its end."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why it ended. All but the first two were ended by us."""

    EXIT = "exit"
    SIGNAL = "signal"
    CPU = "cpu"
    WALL = "wall"
    MEMORY = "memory"
    DISK = "disk"
    PROCESSES = "processes"
    OUTPUT = "output"
    CANCELLED = "cancelled"  # the grader wanted nothing more of it


@dataclass(frozen=True)
class Ended:
    """`code` is an exit code or a signal's number.

    `cpu` in seconds and `memory`, at most, in bytes are what all its processes took.
    """

    reason: Reason
    code: int = 0
    cpu: float = 0.0
    memory: int = 0

    def __str__(self) -> str:
        if self.reason is Reason.SIGNAL:
            return f"killed by signal {self.code} ({_signal(self.code)})"
        return f"exit code {self.code}" if self.reason is Reason.EXIT else f"ended: {self.reason}"


@dataclass(frozen=True)
class Run:
    """How a program ended, and the end of what it printed."""

    ended: Ended
    output: bytes


def from_status(code: int) -> Ended:
    """From an exit status as in `subprocess`, where signals are negative."""
    return Ended(Reason.SIGNAL, -code) if code < 0 else Ended(Reason.EXIT, code)


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a real-time signal"
