"""Control groups: the kernel counts memory and processes of a whole sandbox, and ends it at once.

Version 2, <https://docs.kernel.org/admin-guide/cgroup-v2.html>. A group that hands its controllers
on to groups inside may hold no process itself, so the grader's own move into one of these.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from pathlib import Path

from grader.sandbox.kernel import processes

_OURS = "grader"
_SANDBOX = "sandbox-"  # plus the supervisor's process number
_KERNEL_MEMORY = 64 << 20  # page tables and the like, which count too


def claim() -> None:
    """Make ready for `Group`s. Raises OSError, saying why, where this process may not.

    Its group, from which all are moved, must hold nobody but the zygote's parent, what that
    started, and process 1 of a container. Groups that a killed grader left are removed.
    """
    top = _top()
    if not {"memory", "pids"} <= set(_read(top, "cgroup.controllers").split()):
        raise OSError("memory and processes are not counted by control groups of version 2 here")
    grader = os.getppid()
    if not _members(top) <= {1, grader, *processes.descendants(grader)}:
        raise OSError(
            "other programs are in the grader's control group; "
            "`systemd-run --user --scope -p Delegate=yes grade ...` gives it one of its own"
        )
    ours = top / _OURS
    ours.mkdir(exist_ok=True)
    while members := _members(top):  # some may be starting others
        for pid in members:
            with suppress(ProcessLookupError):
                _write(ours, "cgroup.procs", str(pid))
    _write(top, "cgroup.subtree_control", "+memory +pids")
    for left in top.glob(f"{_SANDBOX}*"):
        if int(left.name.removeprefix(_SANDBOX)) not in _members(ours):
            _remove(left)


class Group:
    """One sandbox's control group; `door` is an open file for `enter`.

    The door is opened by whom the group belongs to, whatever user and namespace enters later.
    """

    def __init__(self, *, memory: int, processes: int) -> None:
        """At most so many bytes and threads."""
        self._folder = _top() / f"{_SANDBOX}{os.getpid()}"
        self._folder.mkdir()
        try:
            _write(self._folder, "memory.max", str(memory + _KERNEL_MEMORY))
            _write(self._folder, "memory.oom.group", "1")
            _write(self._folder, "pids.max", str(processes))
            with suppress(FileNotFoundError):  # a kernel that does not count swap
                _write(self._folder, "memory.swap.max", "0")
            self.door = os.open(self._folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            self._folder.rmdir()
            raise

    def kill(self) -> None:
        """End all processes in it."""
        _write(self._folder, "cgroup.kill", "1")

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel ended it because of its memory."""
        events = dict(line.split() for line in _read(self._folder, "memory.events").splitlines())
        return int(events["oom_kill"]) > 0

    def remove(self) -> None:
        """With all that is in it."""
        os.close(self.door)
        _remove(self._folder)


def enter(door: int) -> None:
    """Move this process into a group."""
    os.write(door, b"0")


def _top() -> Path:
    """The group in which the grader makes others."""
    with open("/proc/self/cgroup", encoding="utf-8") as file:
        groups = [line.strip().removeprefix("0::") for line in file if line.startswith("0::")]
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = [line.split()[3:5] for line in file if " - cgroup2 " in line]
    if not groups or not mounts:
        raise OSError("there are no control groups of version 2 here")
    root, mounted = mounts[0]
    own = Path(mounted, os.path.relpath(groups[0], root))
    return own.parent if own.name == _OURS else own


def _members(group: Path) -> set[int]:
    return set(map(int, _read(group, "cgroup.procs").split()))


def _remove(group: Path) -> None:
    """What takes longer than a second to end is left to the next grader."""
    _write(group, "cgroup.kill", "1")
    for _ in range(100):
        try:
            group.rmdir()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            time.sleep(0.01)
        else:
            return


def _read(group: Path, name: str) -> str:
    return (group / name).read_text("ascii")


def _write(group: Path, name: str, text: str) -> None:
    (group / name).write_text(text, "ascii")
