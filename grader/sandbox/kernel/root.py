"""A private root: the few folders that a program needs, read-only, and an empty scratch.

Built in a mount namespace of its own, so nobody else sees it and nothing of it stays.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.kernel.calls import syscall

SCRATCH = "/tmp"  # noqa: S108 - inside the private root
SHARED_MEMORY = "/dev/shm"  # noqa: S108

_NOSUID, _NODEV, _NOEXEC, _READ_ONLY, _REMOUNT = 2, 4, 8, 1, 0x20
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_DETACH = 2
_AT_RECURSIVE = 0x8000
_AT_FDCWD = -100
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class View:
    """What the private root shows. `hidden` are folders inside of `readable` ones.

    `scratch` bytes may be written, in at most `files` files, and as much to shared memory.
    `source` is a folder that is not shown, but copied from while the root is made.
    """

    readable: Sequence[str]
    hidden: Sequence[str]
    devices: Sequence[str]
    scratch: int
    files: int
    source: str


def enter(view: View, *, own_processes: bool, fill: Callable[[str, str], None]) -> None:
    """Make the root and move into it; the old one is gone afterwards.

    Must run in new mount and pid namespaces. With `own_processes` there is a /proc, of the
    processes in the namespace only. `fill` is called with a path to `view.source` and the new root.
    """
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    shown = [_Shown.find(path) for path in _existing(view)]
    source = os.open(view.source, os.O_PATH)
    top = os.path.realpath(SCRATCH)
    _mount("tmpfs", top, "tmpfs", _NOSUID, "size=4m,nr_inodes=4k,mode=755")
    # Scratch first: what is shown may lie below /tmp.
    for folder in (SCRATCH, SHARED_MEMORY):
        os.makedirs(top + folder)
        room = f"size={view.scratch},nr_inodes={view.files},mode=1777"
        _mount("tmpfs", top + folder, "tmpfs", _NOSUID | _NODEV, room)
    for one in shown:
        one.show(top)
    for path in view.hidden:
        if os.path.isdir(top + path):
            _mount("tmpfs", top + path, "tmpfs", _NOSUID | _NODEV | _READ_ONLY, "size=4k")
    _write_names(top)
    fill(f"/proc/self/fd/{source}", top)
    os.makedirs(f"{top}/proc")
    if own_processes:
        _mount("proc", f"{top}/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    _mount(None, top, None, _REMOUNT | _BIND | _READ_ONLY | _NOSUID)
    os.chdir(top)
    syscall("pivot_root", b".", b".")
    syscall("umount2", b".", _DETACH)
    os.chdir(SCRATCH)
    for place in (source, *(one.place for one in shown)):
        os.close(place)


def _existing(view: View) -> list[str]:
    """What is there to be shown, outer folders first."""
    paths = {*view.readable, *view.devices, *_DEVICES}
    return sorted(path for path in paths if os.path.lexists(path))


@dataclass(frozen=True)
class _Shown:
    """Something of the old root, found before the new one covers it. `link` is a link's text."""

    path: str
    place: int
    is_folder: bool
    link: str | None

    @classmethod
    def find(cls, path: str) -> _Shown:
        link = os.readlink(path) if os.path.islink(path) else None
        return cls(path, os.open(path, os.O_PATH), os.path.isdir(path), link)

    def show(self, top: str) -> None:
        """Bind it below `top`, read-only; repeat a link as a link."""
        target = top + self.path
        if os.path.lexists(target) and self._is_at(target):
            return
        if self.is_folder and self.link is None:
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
        if self.link is not None:
            os.symlink(self.link, target)
            return
        if not self.is_folder:
            Path(target).touch()
        _mount(f"/proc/self/fd/{self.place}", target, None, _BIND | _RECURSIVE)
        if not self.path.startswith("/dev/"):
            _make_read_only(target)

    def _is_at(self, target: str) -> bool:
        """Whether an outer folder that is shown brought it along."""
        there, here = os.stat(target), os.fstat(self.place)
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _make_read_only(target: str) -> None:
    """With all mounts below."""
    attributes = struct.pack("QQQQ", _READ_ONLY | _NOSUID, 0, 0, 0)
    path = os.fsencode(target)
    syscall("mount_setattr", _AT_FDCWD, path, _AT_RECURSIVE, attributes, len(attributes))


def _write_names(top: str) -> None:
    """So that `localhost` is found."""
    os.makedirs(f"{top}/etc", exist_ok=True)
    hosts = Path(top, "etc", "hosts")
    if not hosts.exists():
        hosts.write_text(f"127.0.0.1 localhost {os.uname().nodename}\n::1 localhost\n")


def _mount(
    source: str | None, target: str, kind: str | None, flags: int, options: str | None = None
) -> None:
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else options.encode()
    if _libc.mount(*texts, ctypes.c_ulong(flags), data) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"mount {kind or source} on {target}: {os.strerror(code)}")


def outermost(paths: Iterable[str]) -> list[str]:
    """The existing paths without those that lie inside another one."""
    kept: list[str] = []
    for path in sorted({os.path.abspath(p) for p in paths if os.path.lexists(p)}):
        if not any(Path(path).is_relative_to(outer) for outer in kept):
            kept.append(path)
    return kept
