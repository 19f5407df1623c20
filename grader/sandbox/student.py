"""The last steps of a process before student code runs in it: confined, for good."""

from __future__ import annotations

import importlib
import os
import random
import signal
import sys
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from grader.sandbox import limits
from grader.sandbox.features import Features, Namespaces
from grader.sandbox.keeper import tell
from grader.sandbox.kernel import landlock, processes, root, seccomp
from grader.sandbox.kernel.calls import PR_SET_DUMPABLE, PR_SET_PDEATHSIG, prctl
from grader.sandbox.request import Request

#: Of this machine's /proc and /sys, where there is no private root.
_MACHINE = ("/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm", "/sys/devices/system")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


@dataclass(frozen=True)
class Place:
    """Where the program runs: `home` may be written, `folder` in it holds the hand-in.

    `readable` and `listable` are what it may read besides, without a private root.
    """

    home: str
    readable: tuple[str, ...] = ()
    listable: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        return f"{self.home}/hand-in"


def run(
    request: Request, features: Features, place: Place, *, pipes: list[int], told: int
) -> NoReturn:
    """Confine this process and run the program; leaves the process."""
    try:
        _confine(request, features, place, pipes)
        tell(told, {"confined": True})
    except BaseException as error:
        tell(told, {"problem": f"{type(error).__name__}: {error}"})
        os._exit(1)
    os.close(told)
    _run(request, place)


def _confine(request: Request, features: Features, place: Place, pipes: list[int]) -> None:
    os.setsid()
    if features.namespaces is Namespaces.NONE:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # the keeper is not process 1
        prctl(PR_SET_DUMPABLE, 1)  # the supervisor, a plain user, looks for deleted files
    for number, pipe in enumerate(pipes):
        os.dup2(pipe, number)
        os.close(pipe)
    os.environ.clear()
    os.environ.update(request.environment | {"HOME": place.home, "TMPDIR": place.home})
    os.chdir(place.folder)
    limits.apply(request.limits, processes=_processes(request, features))
    if features.landlock:
        _restrict_files(features, place)
    if features.seccomp:
        seccomp.load(_filter(features))


def _processes(request: Request, features: Features) -> int:
    """The limit counts per user: where others run as the same one, theirs come on top."""
    allowed = request.limits.processes
    if features.slot_user or features.namespaces is Namespaces.USER:
        return allowed  # a user namespace counts its own
    return allowed + processes.threads_of_user(os.getuid())


def _filter(features: Features) -> bytes:
    shared = features.namespaces is Namespaces.NONE
    reaches_others = shared and features.landlock < landlock.SIGNALS_SINCE
    return seccomp.program(
        families=seccomp.OWN_NETWORK if features.has_network else (),
        sees_others=shared,
        can_truncate=not shared or features.landlock >= landlock.TRUNCATION_SINCE,
        only_signals_to=os.getpid() if reaches_others else None,
    )


def _restrict_files(features: Features, place: Place) -> None:
    private = features.namespaces is not Namespaces.NONE
    writable = [place.home, *_DEVICES]
    if private:
        writable.append(root.SHARED_MEMORY)
    landlock.restrict_files(
        readable=["/"] if private else [*place.readable, *_MACHINE],
        writable=writable,
        listable=() if private else place.listable,
        tcp=features.has_network,
        version=features.landlock,
    )


def _run(request: Request, place: Place) -> NoReturn:
    code = 1
    try:
        random.seed()  # each fork has the zygote's state
        program = importlib.import_module(request.program)
        program.main(["--folder", place.folder, *request.arguments])
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code & 0xFF)  # the student's atexit hooks and threads have nothing left to say


def _flush() -> None:
    """Write out what was printed; the streams may be the student's own by now."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(BaseException):
            stream.flush()
