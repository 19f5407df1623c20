"""Runs a fuzzer: batches of inputs, each in a process with limits that is watched from outside.

A fuzzer is a script with a `trying(seed)`: a context manager that gives two functions. The first
makes the input of a number; the second tries it, says whether it was taken (True) or refused in
good order, and raises for anything else.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import json
import queue
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MEMORY = 1 << 30  # as in grader/sandbox/reader.py
HANGS = 20  # seconds of computing, or
SILENT = 90.0  # seconds without a word, as others may use the machine
BATCH = 250

_NO_LIMIT = resource.RLIM_INFINITY


class _Memory:
    """The most that was taken before something that is not counted, in bytes."""

    before = 0


_memory = _Memory()

Trying = Callable[[int], AbstractContextManager[tuple[Callable[[int], Any], Callable[[Any], bool]]]]


@dataclass
class Result:
    """What became of the inputs; crashes and hangs by number."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    crashes: dict[int, str] = field(default_factory=dict)
    hangs: dict[int, str] = field(default_factory=dict)
    slowest: tuple[float, int] = (0.0, 0)  # seconds of computing, and the number of the input
    memory: tuple[int, int] = (0, 0)  # bytes, and the number of the input

    def __str__(self) -> str:
        return (
            f"{self.inputs} inputs, {self.read} read, {self.refused} refused, "
            f"{len(self.crashes)} crashes, {len(self.hangs)} hangs, "
            f"slowest {self.slowest[0]:.1f} s (input {self.slowest[1]}), "
            f"peak {self.memory[0] >> 20} MiB (input {self.memory[1]})"
        )


def fuzz(script: Path, count: int, seed: int = 0, first: int = 0, show: bool = False) -> Result:
    """Try `count` inputs of a fuzzer in batches."""
    result = Result()
    at, end = first, first + count
    while at < end:
        at = _batch(script, result, seed, at, min(BATCH, end - at))
        if show:
            print(f"{at - first}: {result}", flush=True)
    return result


def main(script: str, about: str | None, trying: Trying, count: int = 1) -> None:
    """Try as many as asked for; the exit status tells whether all ended well."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=about, formatter_class=form)
    parser.add_argument("count", type=int, nargs="?", default=count)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number to begin with")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--only", type=int, help="try this input alone, in this process")
    options = parser.parse_args()
    if options.only is not None:
        with trying(options.seed) as (make, attempt):
            print("read" if attempt(make(options.only)) else "refused")
        return
    if options.child is not None:
        _child(trying, options.seed, options.child, options.count)
        return
    result = fuzz(Path(script), options.count, options.seed, options.first, show=True)
    for number, why in result.crashes.items():
        print(f"crash on {number}: {why}")
    for number, where in result.hangs.items():
        print(f"hang on {number}: {where}")
    sys.exit(bool(result.crashes or result.hangs))


# ---------------------------------------------------------------------- the process that tries


def _child(trying: Trying, seed: int, first: int, count: int) -> None:
    """Try a batch; says each number before, and what came of it after."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    say = sys.__stdout__
    assert sys.__stderr__ is not None
    faulthandler.register(signal.SIGXCPU, file=sys.__stderr__, chain=True)
    with trying(seed) as (make, attempt):
        for number in range(first, first + count):
            print(json.dumps({"reading": number}), file=say, flush=True)
            resource.setrlimit(resource.RLIMIT_CPU, (_NO_LIMIT, _NO_LIMIT))
            made = make(number)
            _memory.before = 0
            _forget_peak()
            start = time.process_time()
            faulthandler.dump_traceback_later(SILENT - 1, file=sys.__stderr__)
            resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time()) + HANGS, _NO_LIMIT))
            try:
                said: dict[str, object] = {"read": attempt(made)}
            except Exception as error:
                said = {"crash": _described(error)}
            said["seconds"] = time.process_time() - start
            said["memory"] = max(_memory.before, _peak())
            print(json.dumps(said), file=say, flush=True)


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The most memory since then, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) << 10 if found else 0


@contextmanager
def spared() -> Iterator[None]:
    """What is taken of memory in here is not counted: it is taken in a sandbox otherwise."""
    _memory.before = max(_memory.before, _peak())
    try:
        yield
    finally:
        ctypes.CDLL(None).malloc_trim(0)
        _forget_peak()


def _described(error: Exception) -> str:
    """The error, and the last three places in this project on its way."""
    here = str(Path(__file__).parents[2])
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(here)]
    places = " > ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[-3:])
    return f"{type(error).__name__}: {str(error)[:300]} ({places})"


# ---------------------------------------------------------------------- the process that watches


def _batch(script: Path, result: Result, seed: int, first: int, count: int) -> int:
    """Returns the number to go on with: after a death or a hang, the one behind it."""
    command = [sys.executable, script, str(count), "--seed", str(seed), "--child", str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    reading = first
    try:
        for line in _lines(process):
            said = json.loads(line)
            if "reading" in said:
                reading = said["reading"]
                result.inputs += 1
            else:
                _take(result, reading, said)
    except queue.Empty:
        process.kill()
        _, errors = process.communicate()
        result.hangs[reading] = _place(errors)
        return reading + 1
    _, errors = process.communicate()
    if process.returncode == -signal.SIGXCPU:
        result.hangs[reading] = _place(errors)
        return reading + 1
    if process.returncode != 0:
        last = errors.strip().splitlines()[-1:] or ["no word"]
        result.crashes[reading] = f"status {process.returncode}: {last[0][:200]}"
        return reading + 1
    return first + count


def _place(errors: str) -> str:
    """The innermost places that a hanging process named."""
    frames = [line.strip() for line in errors.splitlines() if line.lstrip().startswith("File ")]
    return " < ".join(frame.rpartition("/")[2] for frame in frames[:4])


def _take(result: Result, reading: int, said: dict[str, object]) -> None:
    if "crash" in said:
        result.crashes[reading] = str(said["crash"])
    else:
        result.read += bool(said["read"])
        result.refused += not said["read"]
    result.slowest = max(result.slowest, (float(str(said["seconds"])), reading))
    result.memory = max(result.memory, (int(str(said["memory"])), reading))


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """What a process says; queue.Empty where it says nothing for too long."""
    said: queue.Queue[str | None] = queue.Queue()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.put(line)
        said.put(None)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    while (line := said.get(timeout=SILENT)) is not None:
        yield line
    thread.join()
