"""The grader's side of the zygote: starts it, asks it for sandboxes, ends it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.errors import InternalError
from grader.records import Json
from grader.sandbox.ended import Ended, Reason, Run
from grader.sandbox.environment import clean_environment
from grader.sandbox.features import Features
from grader.sandbox.host import OUTPUT_KEPT, OUTPUT_LIMIT, Output, Started
from grader.sandbox.interpreter import python_module
from grader.sandbox.limits import Limits
from grader.sandbox.options import WorkerOptions
from grader.sandbox.request import TAKEN, Request

#: What a worker imports, or makes torch import on the first `Module.to` and the first backward
#: pass: half a second each, for every worker, unless the zygote has them already.
WORKER_MODULES = (
    *("grader.sandbox.imports", "torch._dynamo", "torch.distributed.tensor"),
    *("grader.sandbox.probes", "grader.sandbox.whole_script", "grader.sandbox.worker"),
    "grader.vgpu.runtime",
    "grader.vgpu.machine:prepare",
)
START_SECONDS = 120.0
WALL_PER_CPU = 4  # others compute too
_BACKLOG = 64
_IDLE = 1.0  # seconds, so that what computes is ended for its processor time
_GRACE = 10.0  # seconds for the supervisor to do what it promised


class Zygote:
    """A running zygote, and the folder in which it listens. One that was ended is started again.

    `features` are those of this machine. Use as a context manager.
    """

    def __init__(
        self,
        *,
        preload: Sequence[str] = WORKER_MODULES,
        without: Iterable[str] = (),
        limits: Limits | None = None,
        folder: Path | None = None,
    ) -> None:
        """Start it and wait until it is warm. Raises InternalError.

        `without` names features (`Features`) that are not to be used. Its socket and scratch
        folders are in a folder of its own in `folder`, by default where temporary files go.
        """
        self._folder = tempfile.TemporaryDirectory(prefix="grade-zygote-", dir=folder)
        Path(self._folder.name).chmod(0o711)
        self._settings: Json = {
            "preload": list(preload),
            "without": list(without),
            "scratch": os.path.realpath(self._folder.name),
        }
        self.launcher = ZygoteLauncher(f"{self._folder.name}/socket", limits or Limits())
        self._start()

    def _start(self) -> None:
        self._owner, theirs = socket.socketpair()
        with theirs, _listen(self.launcher.address) as listening:
            files = [theirs.fileno(), listening.fileno()]
            self._process = subprocess.Popen(
                [
                    *python_module("grader.sandbox.zygote"),
                    *map(str, files),
                    json.dumps(self._settings),
                ],
                pass_fds=files,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the grader's to handle
            )
        with self._owner.makefile("rb") as lines:
            line = lines.readline()
        if not line:
            self.close()
            raise InternalError(
                "the process that starts sandboxes did not start",
                do="see the output above, and check that torch can be imported",
            )
        self.features = Features.from_json(json.loads(line))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def folder(self) -> Path:
        """Where its socket is, and scratch folders on machines without namespaces."""
        return Path(self._settings["scratch"])

    def revive(self) -> None:
        """Start it again if it has ended."""
        if self._process.poll() is not None:
            self._owner.close()
            self._start()

    def close(self) -> None:
        """End the zygote; once is enough, twice does no harm."""
        self._owner.close()  # it leaves its loop, and hands on the processor time of its children
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def __enter__(self) -> Zygote:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def _short(address: str) -> Iterator[str]:
    """The same address in few characters: a socket's may have 107, a temporary folder's more."""
    folder, name = os.path.split(address)
    file = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{file}/{name}"
    finally:
        os.close(file)


def _listen(address: str) -> socket.socket:
    Path(address).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with _short(address) as path:
        listening.bind(path)
    Path(address).chmod(0o600)
    listening.listen(_BACKLOG)
    return listening


@dataclass(frozen=True)
class ZygoteLauncher:
    """Asks a zygote for sandboxes; another process may hold a copy."""

    address: str
    limits: Limits

    def launch(self, folder: Path, options: WorkerOptions) -> Started:
        """A worker; see `host.Launcher`."""
        request = Request(
            "grader.sandbox.worker",
            os.path.realpath(folder),
            options.arguments(),
            clean_environment(),
            self.limits,
        )

        commands, results, output = (os.pipe() for _ in range(3))
        sandbox = self._start(request, commands[0], results[1], output[1])
        return Started(
            os.fdopen(commands[1], "wb"),
            os.fdopen(results[0], "rb"),
            os.fdopen(output[0], "rb"),
            kill=sandbox.kill,
            wait=sandbox.wait,
            allow=lambda seconds: _allow_question(sandbox, seconds),
            rest=lambda: sandbox.allow(request.limits.cpu, wall=request.limits.wall),
            limits=request.limits,
        )

    def run(
        self,
        request: Request,
        *,
        output_limit: int = OUTPUT_LIMIT,
        output_kept: int = OUTPUT_KEPT,
    ) -> Run:
        """Run one program to its end; both its streams go to one pipe. Raises InternalError."""
        output, theirs = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        sandbox = self._start(request, nothing, theirs, os.dup(theirs))
        with os.fdopen(output, "rb") as pipe:
            kept = Output(pipe, output_kept, output_limit, sandbox.kill)
            kept.drain()
        ended = sandbox.wait(START_SECONDS)
        if ended is None:
            raise InternalError("a sandbox was not ended", do="see the output above")
        return Run(replace(ended, reason=Reason.OUTPUT) if kept.flooded else ended, kept.end)

    def _start(self, request: Request, *pipes: int) -> _Sandbox:
        """Have the zygote start it on these pipes, which are closed here."""
        ours, control = socket.socketpair()
        theirs = [*pipes, control.detach()]
        try:
            _hand_over(self.address, request.to_bytes(), theirs)
        finally:
            for file in theirs:
                os.close(file)
        return _Sandbox(ours)


def _hand_over(address: str, request: bytes, files: list[int]) -> None:
    """Give a request to the zygote; one that is being started again is waited for."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as zygote:
            try:
                with _short(address) as path:
                    zygote.connect(path)
                socket.send_fds(zygote, [request], files)
                if zygote.recv(len(TAKEN)) == TAKEN:
                    return
            except (ConnectionError, FileNotFoundError):
                time.sleep(0.05)
    raise InternalError("the process that starts sandboxes is gone", do="run the command again")


def _allow_question(sandbox: _Sandbox, seconds: float) -> float:
    """Bound the work on one question; returns how long to wait for its end."""
    wall = seconds * WALL_PER_CPU + _IDLE
    sandbox.allow(seconds, wall=wall, idle=seconds * 1.25 + _IDLE)
    return wall + _GRACE


@dataclass
class _Sandbox:
    """The supervisor's socket: what we say to it, and its report."""

    control: socket.socket
    ended: Ended | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def allow(self, cpu: float, *, wall: float, idle: float | None = None) -> None:
        """Processor and wall time, in seconds from now on.

        Of the latter, at most `idle` while the processors are free.
        """
        bounds = {"cpu": cpu, "wall": wall, "idle": wall if idle is None else idle}
        with contextlib.suppress(OSError):  # it has ended; whoever waits for an answer learns that
            self.control.sendall(json.dumps(bounds).encode() + b"\n")

    def kill(self) -> None:
        """End all of it."""
        with contextlib.suppress(OSError):  # it has ended by itself
            self.control.shutdown(socket.SHUT_WR)

    def wait(self, seconds: float) -> Ended | None:
        """How it ended, waiting at most so long. InternalError where that was our doing."""
        with self.lock:
            if self.ended is None:
                self.ended = self._report(seconds)
            return self.ended

    def _report(self, seconds: float) -> Ended | None:
        self.control.settimeout(seconds)
        try:
            line = self.control.recv(64 * 1024)
        except (TimeoutError, OSError):
            return None
        self.control.close()
        report: Json = json.loads(line or b'{"problem": "its supervisor ended early"}')
        if "problem" in report:
            raise InternalError("a sandbox could not be made", found=report["problem"])
        return Ended(**report | {"reason": Reason(report["reason"])})
