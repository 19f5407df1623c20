"""Finds out what this machine offers by doing it: a sandbox with all of it, else with each alone.

Also the program that runs in these sandboxes.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from grader.sandbox import supervisor
from grader.sandbox.ended import Ended, Reason
from grader.sandbox.features import Features, Namespaces
from grader.sandbox.kernel import capabilities, cgroup, landlock
from grader.sandbox.limits import Limits
from grader.sandbox.request import Request
from grader.sandbox.supervisor import Surroundings

_PRIVILEGES, _LATER_LANDLOCK = "privileges", "later_landlock"


def main(arguments: list[str]) -> None:
    """In a sandbox: read what any program reads, write where any program writes."""
    folder = Path(arguments[1])
    (folder / "written").write_text((folder / "read").read_text("utf-8"), "utf-8")
    for module in (os.__file__, __file__):
        Path(module).read_bytes()


def find_features(scratch: str, unwanted: Collection[str] = ()) -> Features:
    """The best that works here; `unwanted` features are left out, for trying a lower rung.

    Besides features, "privileges" leaves out what only root can do, and "later_landlock"
    what Landlock can do since the kernel of Debian 12. Raises OSError where nothing works, not
    even a plain process.
    """
    wished = _wished(unwanted)
    for name in set(unwanted) - {_PRIVILEGES, _LATER_LANDLOCK}:
        wished = wished.without(name, "left out on request")
    if wished.cgroup:
        wished = _with_claim(wished)
    if _problem_with(wished, scratch) is None:
        return wished
    found = _one_by_one(wished, scratch)
    if (problem := _problem_with(found, scratch)) is not None:
        raise OSError(f"no sandbox can be made: {problem}")
    return found


def _wished(unwanted: Collection[str]) -> Features:
    """All that this process has a chance of."""
    privileged = _PRIVILEGES not in unwanted and capabilities.can_administrate()
    latest = landlock.OF_DEBIAN_12 if _LATER_LANDLOCK in unwanted else 1000
    features = Features(
        namespaces=Namespaces.ROOT if privileged else Namespaces.USER,
        own_processes=True,
        landlock=min(landlock.abi(), latest),
        seccomp=True,
        slot_user=privileged and os.geteuid() == 0,
        cgroup=True,
    )
    if not features.landlock:
        features = features.without("landlock", "the kernel has none, or it is switched off")
    if not features.slot_user:
        features = features.without("slot_user", "the grader is not root")
    return features


def _with_claim(wished: Features) -> Features:
    """The same, having made ready for control groups where that can be."""
    try:
        cgroup.claim()
    except OSError as error:
        return wished.without("cgroup", str(error))
    return wished


def _one_by_one(wished: Features, scratch: str) -> Features:
    """Each feature alone, so that one which does not work is told from those that do."""
    found = _with_namespaces(wished, scratch)
    if found.namespaces is Namespaces.USER and wished.slot_user:
        wished = wished.without("slot_user", "a user namespace knows one user only")
        found = replace(found, missing=found.missing | wished.missing)
    for name in ("landlock", "seccomp", "slot_user", "cgroup"):
        if not getattr(wished, name):
            continue
        alone = replace(Features(), **{name: getattr(wished, name)})
        problem = _problem_with(alone, scratch)
        if problem is None:
            found = replace(found, **{name: getattr(wished, name)})
        else:
            found = found.without(name, problem)
    return found


def _with_namespaces(wished: Features, scratch: str) -> Features:
    """The best kind of namespaces, and nothing else yet."""
    nothing = Features(missing=wished.missing)
    if wished.namespaces is Namespaces.NONE:
        return nothing
    problem: str | None = ""
    for kind in dict.fromkeys((wished.namespaces, Namespaces.USER)):
        for own_processes in (True, False):
            alone = replace(nothing, namespaces=kind, own_processes=own_processes)
            problem = _problem_with(alone, scratch)
            if problem is None:
                return alone
    return nothing.without("namespaces", problem or "")


def _problem_with(features: Features, scratch: str) -> str | None:
    """None where a sandbox with these features works, else what was refused."""
    ours, theirs = socket.socketpair()
    printed, output = os.pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        _rehearse(features, scratch, output, theirs)
    theirs.close()
    os.close(output)
    with os.fdopen(printed, "rb") as lines, ours, ours.makefile("rb") as reports:
        last = lines.read().decode("utf-8", "replace").strip().splitlines()[-1:]
        report = json.loads(reports.readline() or '{"problem": "the supervisor ended early"}')
    os.waitpid(child, 0)
    if "problem" in report:
        return str(report["problem"])
    ended = Ended(**report | {"reason": Reason(report["reason"])})
    return None if (ended.reason, ended.code) == (Reason.EXIT, 0) else "".join(last) or str(ended)


def _rehearse(features: Features, scratch: str, output: int, control: socket.socket) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            Path(folder, "read").write_text("a hand-in", "utf-8")
            request = Request(__name__, folder, limits=Limits(cpu=10, wall=30))
            nothing = os.open(os.devnull, os.O_RDWR)
            around = Surroundings(features, scratch, inherited=0)
            supervisor.supervise(request, around, [nothing, os.dup(nothing), output], control)
    finally:
        os._exit(0)
