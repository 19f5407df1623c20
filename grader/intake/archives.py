"""Opens an archive that a stranger made: nothing leaves the target folder, nothing fills the disk.

What a zip and a tar have in common; `zips` and `tars` read them.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from pathlib import Path, PurePath

from grader.errors import SubmissionError
from grader.intake import tars, zips
from grader.intake.budget import Budget
from grader.intake.hand_in import TOO_MUCH
from grader.intake.members import NEW_ZIP, Member, choose, moment
from grader.intake.names import brief
from grader.intake.tars import Tar
from grader.intake.zips import Zip

_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")
_OPENED = (".zip", *_TARS)
_CLOSED = (".rar", ".7z", ".tar.zst", ".tzst")  # named in a refusal, as nothing here opens them

_OTHER_FORMATS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"%PDF": "a PDF",
    b"<!DO": "a web page",
    b"<htm": "a web page",
}


def ending_of(name: str) -> str:
    """The ending that makes this the name of an archive, such as `.tar.gz`; "" for others."""
    return next((end for end in (*_OPENED, *_CLOSED) if name.lower().endswith(end)), "")


def stem_of(path: PurePath) -> str:
    """The name of a file without its ending, also where that has two parts."""
    end = ending_of(path.name)
    return path.name[: -len(end)] if end and len(end) < len(path.name) else path.stem


def unpack(
    archive: Path, target: Path, budget: Budget | None = None, name: str | None = None
) -> list[str]:
    """Unpack an archive into `target`, a new folder; returns what was passed over, and why.

    An archive inside the archive stays a file. Raises SubmissionError, in words for the
    student, for whatever is no sound and sensible archive; `target` may then be half filled.
    `name` is what the archive is called in those.
    """
    name = name or brief(archive.name)
    target.mkdir(parents=True)
    with _opened(archive, name, budget) as (opened, limits):
        chosen, junk = choose(opened.members())
        limits.foresee(len(chosen), sum(m.size for m in chosen.values()), name)
        for member, blocks in opened.contents(chosen.values()):
            limits.count_file(name)
            _write(target / member.path, blocks, limits, name)
            _set_time(target / member.path, member)
    return junk


def newest(archive: Path, zone: tzinfo | None = None) -> float | None:
    """When the newest file in an archive was changed, in seconds of the epoch.

    Times that a zip keeps without a zone are of `zone`, or of this machine's. None where no
    file has a time. Raises SubmissionError as `unpack`.
    """
    with _opened(archive, brief(archive.name), None) as (opened, _):
        chosen, _ = choose(opened.members())
    times = (moment(m.stamp, zone) for m in chosen.values() if m.stamp is not None)
    return max(times, default=None)


# ------------------------------------------------------------------ opening


@contextmanager
def _opened(archive: Path, name: str, budget: Budget | None) -> Iterator[tuple[Zip | Tar, Budget]]:
    """The archive, opened by whoever can; all that goes wrong in here is in the student's words."""
    kind = zips.KIND
    try:
        budget = budget or Budget(archive.stat().st_size)
        is_tar = _is_tar(archive, name, budget)
        kind = tars.KIND if is_tar else zips.KIND
        opened = Tar(archive, name, budget) if is_tar else Zip(archive, name)
        try:
            yield opened, budget
        finally:
            opened.close()
    except (*zips.DAMAGE, *tars.DAMAGE) as error:
        raise _damaged(name, kind, str(error) or "it ends too early") from error
    except RecursionError as error:
        raise _damaged(name, kind, "its headers are about one another") from error
    except NotImplementedError as error:
        raise SubmissionError(f"{name} cannot be unpacked ({error}); {NEW_ZIP}") from error
    except OSError as error:
        raise _explained(error, name, kind) from error


def _is_tar(archive: Path, name: str, budget: Budget) -> bool:
    """Which of the two it is, by its content: names are given by people. Refuses all else."""
    with archive.open("rb") as file:
        start = file.read(4)
        size = file.seek(0, os.SEEK_END)
    if not size:
        raise SubmissionError(f"{name} is empty; {NEW_ZIP}")
    if size > budget.most_bytes:
        raise SubmissionError(f"{name} is larger than {budget.most_bytes >> 20} MB; {TOO_MUCH}")
    if start.startswith(b"PK"):
        return False
    if tars.starts_as_tar(archive):
        return True
    other = next((what for mark, what in _OTHER_FORMATS.items() if start.startswith(mark)), "")
    said_tar = ending_of(name) in _TARS
    if other or said_tar or not zips.has_end(archive):
        kind = tars.KIND if said_tar else zips.KIND
        raise SubmissionError(f"{name} is {f'{other}, ' if other else ''}not a {kind}; {NEW_ZIP}")
    return False


# ------------------------------------------------------------------ writing


def _write(file: Path, blocks: Iterable[bytes], budget: Budget, name: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("xb") as output:
        for block in blocks:
            budget.count_bytes(len(block), name)
            output.write(block)


def _set_time(file: Path, member: Member) -> None:
    if member.stamp is not None:
        seconds = moment(member.stamp)
        os.utime(file, (seconds, seconds))


# ------------------------------------------------------------------ what went wrong


def _damaged(name: str, kind: str, how: str) -> SubmissionError:
    return SubmissionError(f"{name} is a damaged {kind} ({brief(how)}); {NEW_ZIP}")


def _explained(error: OSError, name: str, kind: str) -> Exception:
    """The student's archive, or our disk?"""
    if error.errno is None:  # no system call failed: bz2 says so of a stream it cannot read
        return _damaged(name, kind, str(error))
    if error.errno == errno.EINVAL:  # from seeking to a place before the file
        return _damaged(name, kind, "it points outside itself")
    if error.errno == errno.ENAMETOOLONG:
        return SubmissionError(f"{name} holds a file name that is too long; {NEW_ZIP}")
    if error.errno in {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}:
        return SubmissionError(f"{name} holds a file and a folder of one name; {NEW_ZIP}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SubmissionError(f"{name} cannot be read ({error.strerror}); make it readable")
    return error
