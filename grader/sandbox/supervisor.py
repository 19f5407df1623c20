"""Watches one sandbox from outside: its time, memory, disk and processes; ends and removes it.

One process per sandbox, forked from the zygote; it never runs student code. The grader speaks to
it through a socket: lines with how long the program may go on, and at the end one line back. When
the grader closes the socket, or dies, everything is ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import NoReturn

from grader.records import Json
from grader.sandbox import keeper, place, student
from grader.sandbox.ended import Ended, Reason, from_status
from grader.sandbox.features import Features, Namespaces
from grader.sandbox.kernel import cgroup, namespaces, processes
from grader.sandbox.kernel.calls import PR_SET_CHILD_SUBREAPER, prctl
from grader.sandbox.kernel.cgroup import Group
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request
from grader.sandbox.student import Place

_BUSY, _IDLE = 0.05, 0.2  # seconds between two looks
_GRACE = 2.0  # seconds for a sandbox to end by itself once it is asked to
_FIRST_SLOT_USER = 1 << 28  # far from the users of any machine; plus a process number
_OF_KEEPER = namespaces.MOUNT | namespaces.CGROUP


@dataclass(frozen=True)
class Surroundings:
    """What the zygote knows: this machine's features, and where scratch folders go.

    `inherited` bytes of memory are in every fork of it.
    """

    features: Features
    scratch: str
    inherited: int


def supervise(
    request: Request, around: Surroundings, pipes: list[int], control: socket.socket
) -> None:
    """Run the request's program on `pipes` and report on `control` how it ended."""
    os.setsid()
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what loses its parent stays below us
    try:
        with _sandbox(request, around, pipes) as sandbox:
            report = _Watch(request, around, sandbox, control).report()
    except OSError as error:
        report = {"problem": str(error)}
    with contextlib.suppress(BrokenPipeError):  # nobody wants to know any more
        control.sendall(json.dumps(report).encode() + b"\n")


@dataclass
class _Sandbox:
    """A keeper and all below it; `told` is read, `end` ends it, `home` is a scratch folder.

    `group` is its control group.
    """

    keeper: int
    told: int
    end: int
    home: str | None
    group: Group | None


@contextlib.contextmanager
def _sandbox(request: Request, around: Surroundings, pipes: list[int]) -> Iterator[_Sandbox]:
    """Start the keeper; leave nothing of it or its folder."""
    features = around.features
    user = _FIRST_SLOT_USER + os.getpid() if features.slot_user else None
    home: Place | None = None
    group = _group(request.limits) if features.cgroup else None
    told, tell = os.pipe()
    end, ending = os.pipe()
    try:
        if features.namespaces is Namespaces.NONE:
            home = place.make_folder(request.folder, around.scratch, user)
        else:
            _leave_namespaces(features)
        child = os.fork()
        if child == 0:
            os.close(told)
            os.close(ending)
            _keep(request, features, home, user, pipes, tell, end, group)
        for file in (*pipes, tell, end):
            os.close(file)
        yield _Sandbox(child, told, ending, home.home if home else None, group)
    finally:
        if home is not None:
            place.remove(home.home)
        if group is not None:
            group.remove()


def _group(limits: Limits) -> Group:
    """What is written to the private scratch is memory, too. The keeper is one more process."""
    return Group(memory=limits.memory + limits.scratch, processes=limits.processes + 1)


def _leave_namespaces(features: Features) -> None:
    """What is started from here on is in namespaces of its own; some are the keeper's matter."""
    kinds = namespaces.ALL_BUT_USER & ~_OF_KEEPER
    if features.namespaces is Namespaces.USER:
        namespaces.unshare_as_user(kinds)
    else:
        namespaces.unshare(kinds)
    namespaces.start_loopback()


def _keep(
    request: Request,
    features: Features,
    home: Place | None,
    user: int | None,
    pipes: list[int],
    told: int,
    end: int,
    group: Group | None,
) -> NoReturn:
    """The keeper's whole life."""
    try:
        if group is not None:
            cgroup.enter(group.door)
        _close_all_but({*range(3), *pipes, told, end})
        if home is None:
            namespaces.unshare(_OF_KEEPER)
            home = place.enter_private_root(request.folder, features, request.limits, user)
        inside = home
        keeper.keep(
            lambda: student.run(request, features, inside, pipes=pipes, told=told),
            features,
            user,
            told=told,
            end=end,
            pipes=pipes,
        )
    except BaseException as error:
        keeper.tell(told, {"problem": f"{type(error).__name__}: {error}"})
    finally:
        os._exit(0)


def _close_all_but(kept: set[int]) -> None:
    """So that the program inherits nothing of the zygote's."""
    first = 0
    for file in (*sorted(kept), 1 << 20):
        if first < file:  # an empty range is a full one to close_range
            os.closerange(first, file)
        first = file + 1


class _Watch:
    """Looks at a sandbox until it ends, or ends it."""

    def __init__(
        self, request: Request, around: Surroundings, sandbox: _Sandbox, control: socket.socket
    ) -> None:
        self.limits = request.limits
        self.inherited = around.inherited
        self.sandbox = sandbox
        self.control = control
        self.cpu = 0.0
        self.memory = 0
        self.heard: Json = {}
        self._allow({"cpu": self.limits.cpu, "wall": self.limits.wall, "idle": self.limits.wall})

    def report(self) -> Json:
        """Watch to the end. What is returned is an `Ended`, or a problem of ours."""
        reason = self._until_end()
        if reason is not None:
            self._end()
        self._sweep()
        self._hear()
        if "problem" in self.heard:
            return {"problem": self.heard["problem"]}
        ended = from_status(self.heard.get("status", -signal.SIGKILL))
        group = self.sandbox.group
        if reason is None and group is not None and group.ran_out_of_memory():
            reason = Reason.MEMORY
        if reason is not None:
            ended = Ended(reason)
        return asdict(replace(ended, cpu=self._cpu_in_all(), memory=self.memory))

    # -------------------------------------------------------------- until it ends

    def _until_end(self) -> Reason | None:
        """None where it ended by itself, else why it must end."""
        handle = os.pidfd_open(self.sandbox.keeper)
        events = select.poll()
        events.register(handle, select.POLLIN)
        events.register(self.control, select.POLLIN | select.POLLRDHUP)
        pause = _BUSY
        while True:
            ready = {file for file, _ in events.poll(pause * 1000)}
            if handle in ready:
                return None
            if self.control.fileno() in ready and not self._hear_grader():
                return Reason.CANCELLED
            before = self.cpu
            if (reason := self._look()) is not None:
                return reason
            pause = _BUSY if self.cpu > before else _IDLE  # only who works can take more

    def _hear_grader(self) -> bool:
        """Take new bounds; False where the grader has closed its end."""
        try:
            lines = self.control.recv(4096).splitlines()
        except ConnectionResetError:
            return False
        if lines:
            self._allow(json.loads(lines[-1]))
        return bool(lines)

    def _allow(self, bounds: Json) -> None:
        """Processor and wall time, in seconds, counted from now.

        `idle` bounds wall time, too, but not while it waits for a processor that others have.
        """
        pids = processes.descendants(os.getpid())
        self.cpu = processes.processor_seconds(pids)
        self.cpu_end = self.cpu + bounds["cpu"]
        self.wall_end = time.monotonic() + bounds["wall"]
        self.idle_end = time.monotonic() - processes.starved_seconds(pids) + bounds["idle"]

    def _look(self) -> Reason | None:
        pids = processes.descendants(os.getpid())
        used = processes.memory_of(pids, self.inherited)
        self.memory = max(self.memory, used)
        self.cpu = processes.processor_seconds(pids)
        if used > self.limits.memory:
            return Reason.MEMORY
        if self.cpu > self.cpu_end:
            return Reason.CPU
        now = time.monotonic()
        if now > self.wall_end or now - processes.starved_seconds(pids) > self.idle_end:
            return Reason.WALL
        if len(pids) > self.limits.processes + 1:
            return Reason.PROCESSES
        if self.sandbox.home is not None and self._disk(pids) > self.limits.scratch:
            return Reason.DISK
        return None

    def _disk(self, pids: list[int]) -> int:
        assert self.sandbox.home is not None
        return place.used_by(self.sandbox.home) + processes.deleted_files(pids)

    # -------------------------------------------------------------- the end

    def _end(self) -> None:
        """Have the keeper end its tree; end the keeper where that does not help."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self.sandbox.end, b"x")
        handle = os.pidfd_open(self.sandbox.keeper)
        events = select.poll()
        events.register(handle, select.POLLIN)
        if not events.poll(_GRACE * 1000):
            os.kill(self.sandbox.keeper, signal.SIGKILL)

    def _sweep(self) -> None:
        """End what is left below us: stop all first, since who is stopped starts nothing."""
        if self.sandbox.group is not None:
            self.sandbox.group.kill()
        while left := processes.descendants(os.getpid()):
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in left:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, number)
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    continue
            time.sleep(0.001)

    def _hear(self) -> None:
        """All that keeper and student told."""
        with os.fdopen(self.sandbox.told, "rb") as told:
            for line in told:
                self.heard |= json.loads(line)

    def _cpu_in_all(self) -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
