"""Running a command on virtual GPUs, with all the processes it starts, and reading their traces."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.processes import Process, Run
from grader.vgpu.settings import Settings, to_environment, with_changes

#: What `timeout` of GNU coreutils answers.
TIMED_OUT = 124
_GRACE = 5.0  # seconds between asking and forcing


@dataclass(frozen=True)
class Outcome:
    """How a command ended. `code` is what a shell would say; 124 for one that took too long."""

    code: int
    run: Run


def command_line(arguments: Sequence[str]) -> list[str]:
    """What to execute for `torchrun ARGS`, `-m MODULE ARGS` or `SCRIPT ARGS`."""
    first, *rest = arguments
    if first == "torchrun":
        return [sys.executable, "-m", "torch.distributed.run", *rest]
    return [sys.executable, first, *rest]


def launch(command: Sequence[str], settings: Settings, timeout: float | None = None) -> Outcome:
    """Run `command` in this terminal; each of its processes has the GPUs of `settings`.

    `timeout` is in seconds. Traces stay in `settings.trace_folder` if there is one.
    """
    with tempfile.TemporaryDirectory(prefix="vgpu-") as temporary:
        folder = settings.trace_folder or Path(temporary)
        known = {p.name for p in folder.glob("*.json")}
        asked = with_changes(settings, trace_folder=folder.resolve())
        code = _execute(command, {**os.environ, **to_environment(asked)}, timeout)
        return Outcome(code, read_traces(folder, ignore=known))


def _execute(command: Sequence[str], environment: dict[str, str], timeout: float | None) -> int:
    with subprocess.Popen(command, env=environment, start_new_session=True) as child:
        try:
            code = child.wait(timeout)
        except subprocess.TimeoutExpired:
            _end(child)
            return TIMED_OUT
        except KeyboardInterrupt:
            _end(child, signal.SIGINT)
            raise
    return 128 - code if code < 0 else code


def _end(child: subprocess.Popen[bytes], asking: signal.Signals = signal.SIGTERM) -> None:
    """End the command and all that it started: they share a session of their own."""
    os.killpg(child.pid, asking)
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)


def read_traces(folder: Path, ignore: set[str] | None = None) -> Run:
    """The run whose processes left their traces in `folder`; UsageError for a damaged file."""
    processes = []
    for path in sorted(folder.glob("*.json")):
        if path.name in (ignore or ()):
            continue
        try:
            processes.append(Process.from_json(json.loads(path.read_text("utf-8"))))
        except ValueError as error:
            raise UsageError(
                str(path), expected="the trace of a process", found=str(error)
            ) from error
    return Run.of(processes)
