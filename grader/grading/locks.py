"""Locks that end with the process that holds them: one run per results folder, and workspaces.

An open file with `flock` on it: the kernel lets go of it however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import UsageError

_LOCK = ".lock"
_PREFIX = "grade-"


@contextmanager
def only_run_in(out: Path) -> Iterator[None]:
    """Nobody else writes into this results folder meanwhile; UsageError where somebody does."""
    with (out / _LOCK).open("a+b") as file:
        if not _taken(file.fileno()):
            file.seek(0)
            holder = file.read(20).decode("ascii", "replace").strip() or "unknown"
            raise UsageError(
                f"another `grade` is at work in {out}",
                found=f"process {holder}",
                do="wait for it to end, or name another folder with --out",
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n".encode())
        file.flush()
        yield


@contextmanager
def workspace() -> Iterator[Path]:
    """A new folder for what is gone after the run; removes those of runs that were killed."""
    top = Path(tempfile.gettempdir())
    _remove_abandoned(top)
    folder, lock = _locked_folder(top)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder(top: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=top))
        folder.chmod(0o711)  # sandboxes of other users find theirs in it, and see nothing else
        path = folder / _LOCK
        lock = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return folder, lock
        os.close(lock)  # somebody tidied up between the two steps


def _remove_abandoned(top: Path) -> None:
    for lock in top.glob(f"{_PREFIX}*/{_LOCK}"):
        try:
            if lock.parent.is_symlink() or lock.parent.stat().st_uid != os.geteuid():
                continue
            with lock.open("rb") as file:
                if _taken(file.fileno()):
                    shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue  # it is being removed by its own run


def _taken(file: int) -> bool:
    """Take the lock of an open file, unless another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
