"""The place a program runs in: a private root, or a folder on this machine that is removed."""

from __future__ import annotations

import errno
import functools
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grader
from grader.sandbox.features import Features
from grader.sandbox.kernel import root
from grader.sandbox.limits import Limits
from grader.sandbox.student import Place

#: What programs need of any Linux machine; no folder of people's.
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/alternatives", "/etc/nsswitch.conf", "/sys/devices/system/cpu"),
)


@functools.cache  # the zygote asks first, so that its forks know
def readable() -> list[str]:
    """Python, its packages and this one, and the system's programs and libraries."""
    packages = [p for p in sys.path if Path(p).name in {"site-packages", "dist-packages"}]
    ours = str(Path(grader.__file__).parent)
    return root.outermost([*_SYSTEM, sys.prefix, sys.base_prefix, *packages, ours])


def hidden() -> list[str]:
    """Folders inside of readable ones that are not for students: rubrics and solutions."""
    return [str(Path(grader.__file__).parent / "assignments")]


def enter_private_root(folder: str, features: Features, limits: Limits, owner: int | None) -> Place:
    """Build and enter the private root, with a copy of `folder` in it that belongs to `owner`."""
    place = Place(home=root.SCRATCH)
    size, count = _weight(folder)
    view = root.View(
        readable=readable(),
        hidden=hidden(),
        devices=(),
        scratch=limits.scratch + size,
        files=limits.scratch_files + count,
        source=folder,
    )
    root.enter(
        view,
        own_processes=features.own_processes,
        fill=lambda source, top: _copy(source, top + place.folder, owner),
    )
    return place


def make_folder(folder: str, parent: str, owner: int | None) -> Place:
    """Make a scratch folder below `parent`, with a copy of `folder` in it."""
    home = tempfile.mkdtemp(prefix="scratch-", dir=parent)
    if owner is not None:
        os.chown(home, owner, owner)
    shown, listed = without(readable(), hidden())
    place = Place(home, tuple(shown), tuple(listed))
    _copy(folder, place.folder, owner)
    return place


def without(paths: list[str], secret: list[str]) -> tuple[list[str], list[str]]:
    """The paths less the secret folders inside of them, and the folders that this opens.

    A rule of Landlock's holds for all below a folder. So a folder around a secret one becomes
    its entries; it can still be listed, since imports need that.
    """
    shown: list[str] = []
    opened: list[str] = []
    todo = list(paths)
    while todo:
        path = todo.pop()
        if any(Path(path) == Path(s) for s in secret):
            continue
        if any(Path(s).is_relative_to(path) and Path(s).exists() for s in secret):
            opened.append(path)
            todo += [entry.path for entry in os.scandir(path)]
        else:
            shown.append(path)
    return sorted(shown), sorted(opened)


def remove(home: str) -> None:
    """Remove a scratch folder, however deep it is and whatever was done to permissions in it.

    Folders are moved to the top before they are emptied: a longer path could not be named.
    """
    todo = [Path(home)]
    while todo:
        folder = todo.pop()
        folder.chmod(0o700)
        for inner in list(folder.iterdir()):
            if inner.is_dir() and not inner.is_symlink():
                inner.chmod(0o700)  # moving a folder writes to it
                todo.append(inner.rename(Path(home, secrets.token_hex(16))))
            else:
                inner.unlink()
        if folder != Path(home):
            folder.rmdir()
    Path(home).rmdir()


def used_by(home: str) -> int:
    """Bytes on disk below a scratch folder, and something for each name."""
    used = 0
    try:
        for entry in _entries(home):
            with suppress(FileNotFoundError):  # it was removed meanwhile
                used += entry.stat(follow_symlinks=False).st_blocks * 512 + 1024
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return sys.maxsize  # deeper than we can look
    return used


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    todo = [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as found:
                for entry in found:
                    yield entry
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
        except (FileNotFoundError, PermissionError, NotADirectoryError):
            continue  # removed meanwhile, or closed even to us


def _weight(folder: str) -> tuple[int, int]:
    """Bytes and files that a copy takes, in whole pages."""
    sizes = [entry.stat(follow_symlinks=False).st_size for entry in _entries(folder)]
    return sum((size + 4095) // 4096 * 4096 for size in sizes) + 4096, len(sizes) + 1


def _copy(folder: str, target: str, owner: int | None) -> None:
    """Regular files only: a link could lead out of the hand-in."""
    Path(target).mkdir()
    for entry in os.scandir(folder):
        inner = f"{target}/{entry.name}"
        if entry.is_symlink():
            continue
        if entry.is_dir():
            _copy(entry.path, inner, owner)
        elif entry.is_file():
            shutil.copyfile(entry.path, inner)
            _give(inner, owner, 0o644)
    _give(target, owner, 0o755)


def _give(path: str, owner: int | None, mode: int) -> None:
    Path(path).chmod(mode)
    if owner is not None:
        os.chown(path, owner, owner)
