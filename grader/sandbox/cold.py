"""Starts each program as a new interpreter, unconfined: for one's own code, on any system.

Nothing here needs POSIX unless limits are asked for.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.ended import Ended, Reason, Run, from_status
from grader.sandbox.host import OUTPUT_KEPT, OUTPUT_LIMIT, Output, Started
from grader.sandbox.interpreter import python_module
from grader.sandbox.limits import Limits
from grader.sandbox.options import WorkerOptions
from grader.sandbox.request import Request


@dataclass(frozen=True)
class ColdLauncher:
    """A `host.Launcher` whose programs get the environment as given, and see all of the machine."""

    environment: dict[str, str]
    limits: Limits | None = None  # POSIX only

    def launch(self, folder: Path, options: WorkerOptions) -> Started:
        """A worker for the code in `folder`, where it stands."""
        command = self._command("grader.sandbox.worker", str(folder), options.arguments())
        process = self._start(command, stderr=subprocess.PIPE)
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

    def run(
        self,
        request: Request,
        *,
        output_limit: int = OUTPUT_LIMIT,
        output_kept: int = OUTPUT_KEPT,
    ) -> Run:
        """Run one program to its end, for at most the wall time that is asked for."""
        command = self._command(request.program, request.folder, request.arguments)
        with self._start(command, stderr=subprocess.STDOUT) as process:
            assert process.stdout is not None
            timer = threading.Timer(request.limits.wall, lambda: _kill_group(process))
            timer.start()
            kept = Output(process.stdout, output_kept, output_limit, lambda: _kill_group(process))
            kept.drain()
            ended = from_status(process.wait())
            timer.cancel()
        return Run(Ended(Reason.OUTPUT) if kept.flooded else ended, kept.end)

    def _command(self, program: str, folder: str, arguments: list[str]) -> list[str]:
        command = python_module(program)
        if self.limits is not None:
            limits = json.dumps(self.limits.to_json())
            command = [*python_module("grader.sandbox.limited"), limits, program]
        return [*command, "--folder", folder, *arguments]

    def _start(self, command: list[str], *, stderr: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=self.environment,
            start_new_session=os.name == "posix",
        )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of zombies
            return  # all of it has ended already
    else:
        process.kill()


def _end(process: subprocess.Popen[bytes], seconds: float) -> Ended | None:
    try:
        return from_status(process.wait(seconds))
    except subprocess.TimeoutExpired:
        return None
