"""Ends a script that takes too long, with its child processes, and says where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from grader.vgpu.explain import user_frame

TIMED_OUT = 124  # as timeout(1)
_GRACE = 2.0  # seconds that children have to end by themselves


def watch(seconds: float) -> None:
    """End this process `seconds` from now, unless it has ended by then."""
    timer = threading.Timer(seconds, _expire, (seconds,))
    timer.daemon = True
    timer.start()


def _expire(seconds: float) -> None:
    frame = user_frame(sys._current_frames().get(threading.main_thread().ident or 0))
    where = f"; it was at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""
    sys.stdout.flush()
    sys.stderr.write(f"vgpu: the script was ended after {seconds:g} seconds{where}\n")
    sys.stderr.flush()
    _end_children()
    os._exit(TIMED_OUT)


def _end_children() -> None:
    doomed = descendants(os.getpid())
    _send(doomed, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE
    while descendants(os.getpid()) and time.monotonic() < deadline:
        time.sleep(0.05)
    _send(list({*doomed, *descendants(os.getpid())}), signal.SIGKILL)


def _send(processes: list[int], number: signal.Signals) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue  # ended by itself


def descendants(process: int) -> list[int]:
    """Children of a process, their children, and so on; without those that have ended."""
    parents = _parents()
    found: list[int] = []
    level = [process]
    while level:
        level = [child for child, parent in parents.items() if parent in level]
        found += level
    return found


def _parents() -> dict[int, int]:
    """The parent of every process that runs."""
    if not Path("/proc/self/stat").exists():
        table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
        return dict(map(int, row.split()) for row in table.stdout.splitlines())  # type: ignore[misc]
    parents: dict[int, int] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = file.read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
        except OSError:
            continue  # ended meanwhile
        if state != "Z":
            parents[int(file.parent.name)] = int(parent)
    return parents
