"""Keeps a student's process: process 1 of the sandbox, or the first of its tree.

It makes the place that the program runs in, starts it, collects what it leaves behind, and tells
the supervisor how it ended. It never runs student code.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from grader.records import Json
from grader.sandbox.features import Features, Namespaces
from grader.sandbox.kernel import capabilities, landlock
from grader.sandbox.kernel.calls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_PDEATHSIG,
    prctl,
)


def tell(pipe: int, message: Json) -> None:
    """One line for the supervisor."""
    os.write(pipe, json.dumps(message).encode() + b"\n")


def keep(
    start: Callable[[], NoReturn],
    features: Features,
    user: int | None,
    *,
    told: int,
    end: int,
    pipes: list[int],
) -> None:
    """Fork `start`, wait for it and tell its status. `end` is readable when all must end.

    `pipes` are the program's, closed here. `user` is whom everything runs as from here on.
    """
    become(user)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    if features.namespaces is Namespaces.NONE and features.landlock >= landlock.SIGNALS_SINCE:
        landlock.restrict_signals(features.landlock)  # bounds the kill(-1) below
    child = os.fork()
    if child == 0:
        os.close(end)
        start()
    for pipe in pipes:
        os.close(pipe)
    status = _wait_for(child, end)
    if status is not None:
        tell(told, {"status": os.waitstatus_to_exitcode(status)})
    _end_all(features, user)


def become(user: int | None) -> None:
    """Change to another user where one is given, without a way back, and give up privileges."""
    capabilities.bound()
    if user is not None:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    capabilities.drop()
    prctl(PR_SET_DUMPABLE, 0)  # a process of the same user can neither trace nor read us
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # again: a change of user clears it


def _wait_for(child: int, end: int) -> int | None:
    """The child's status, or None where the supervisor says that all must end."""
    handle = os.pidfd_open(child)
    events = select.poll()
    events.register(handle, select.POLLIN)
    events.register(end, select.POLLIN)
    while True:
        ready = {file for file, _ in events.poll(100)}
        if end in ready:
            return None
        _reap_all_but(child)
        if handle in ready:
            return os.waitpid(child, 0)[1]


def _reap_all_but(child: int) -> None:
    """Collect orphans, so that their processor time is counted and their numbers are free."""
    with suppress(ChildProcessError):
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid == child:
                return
            os.waitpid(ended.si_pid, 0)


def _end_all(features: Features, user: int | None) -> None:
    """Kill whatever this process may signal, where that is the program's tree and no more.

    In namespaces the kernel would do it, too, but forget how much processor time it took.
    """
    shared = features.namespaces is Namespaces.NONE
    if shared and user is None and features.landlock < landlock.SIGNALS_SINCE:
        return  # it would reach the grader; the supervisor goes through the tree instead
    for _ in range(100):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(-1, signal.SIGKILL)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                continue
            time.sleep(0.002)
            continue
        return
