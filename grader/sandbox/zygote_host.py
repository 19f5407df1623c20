"""The grader's side of the zygote, and the choice of launcher for this machine."""

from __future__ import annotations

import atexit
import functools
import json
import os
import platform
import select
import signal
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from grader.errors import InternalError, UsageError
from grader.sandbox.environment import clean_environment
from grader.sandbox.host import ColdLauncher, Launcher, Started, describe_exit
from grader.sandbox.limits import Limits
from grader.sandbox.options import WorkerOptions
from grader.sandbox.zygote import READY


@functools.cache
def launcher_for_this_process() -> Launcher:
    """The launcher with the limits that grading strangers' code needs; one per process."""
    limits = json.dumps(asdict(Limits()))
    if platform.system() == "Linux":
        zygote = Zygote.start(limits)
        atexit.register(zygote.close)
        return zygote
    if os.name == "posix":
        return ColdLauncher(clean_environment(Path("/tmp")), limits)  # noqa: S108
    raise UsageError(
        "hand-ins of other people are only graded on Linux or macOS",
        do="use the Dockerfile, or check your own folder with pytest",
    )


@dataclass
class Zygote:
    """A running zygote; forks workers on request. One that was ended is started again."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    limits: str

    @classmethod
    def start(cls, limits: str) -> Zygote:
        """Start it and wait until torch is imported. Raises InternalError."""
        return cls(*cls._start(), limits)

    @staticmethod
    def _start() -> tuple[subprocess.Popen[bytes], socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", "grader.sandbox.zygote", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env=clean_environment(Path("/nonexistent")),
                stdin=subprocess.DEVNULL,
            )
        if ours.recv(len(READY)) != READY:
            ours.close()
            process.kill()
            process.wait()
            raise InternalError(
                "the process that starts workers did not start",
                do="check that torch can be imported in this environment",
            )
        return process, ours

    def launch(self, folder: Path, options: WorkerOptions) -> Started:
        """Fork a worker; see `host.Launcher`."""
        if self.process.poll() is not None:  # nothing keeps a hand-in from ending it
            self.close()
            self.process, self.control = self._start()
        arguments = ["--folder", str(folder), "--limits", self.limits, *options.arguments()]
        request = {
            "arguments": arguments,
            "environment": clean_environment(folder),
        }
        commands, results, output, status = (os.pipe() for _ in range(4))
        theirs = [commands[0], results[1], output[1], status[1]]
        try:
            socket.send_fds(self.control, [json.dumps(request).encode()], theirs)
        finally:
            for file in theirs:
                os.close(file)
        ours = (os.fdopen(commands[1], "wb"), os.fdopen(results[0], "rb"))
        pipes = (*ours, os.fdopen(output[0], "rb"), os.fdopen(status[0], "rb"))
        group = int(pipes[-1].readline() or 0)
        if not group:
            for pipe in pipes:
                pipe.close()
            raise InternalError("a worker could not be forked", do="see the output above")
        return Started(
            *pipes[:3],
            kill=functools.partial(_kill_group, group),
            wait=functools.partial(_end, pipes[3]),
        )

    def close(self) -> None:
        """End the zygote; its workers end with their pipes."""
        self.control.close()  # it leaves its loop, and hands on the CPU time of its children
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # all of it has ended already


def _end(status: IO[bytes], seconds: float) -> str | None:
    """How the worker ended, as its supervisor tells; None where it has not, or was killed."""
    if status.closed or not select.select([status], [], [], seconds)[0]:
        return None
    with status:
        line = status.readline()
    return describe_exit(int(line)) if line else None
