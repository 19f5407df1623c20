"""Opens a zip that a stranger made: nothing leaves the target folder, nothing fills the disk."""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from grader.errors import SubmissionError
from grader.intake.hand_in import MAX_BYTES, MAX_FILES, TOO_MUCH
from grader.intake.junk import ENVIRONMENT, why_junk
from grader.intake.names import readable

MAX_RATIO = 200  # of unpacked to packed size, asked once there is more than RATIO_FROM
RATIO_FROM = 10 * 2**20
MAX_DIRECTORY = 8 * 2**20  # bytes of the table of contents, which is read into memory

#: Methods whose memory does not depend on what the archive says (LZMA's does).
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_UTF8 = 0x800  # flag: the name is UTF-8
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error)
_NEW_ZIP = "hand in the folder or a new zip"
_OTHER_FORMATS = {
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF",
    b"<!DO": "a web page",
    b"<htm": "a web page",
}


def unpack(archive: Path, target: Path) -> list[str]:
    """Unpack a zip into `target`, a new folder; returns what was passed over, and why.

    An archive inside the archive stays a file. Raises SubmissionError, in words for the
    student, for whatever is no sound and sensible zip; `target` may then be half filled.
    """
    name = readable(archive.name)
    target.mkdir(parents=True)
    try:
        _refuse_other_formats(archive, name)
        with zipfile.ZipFile(archive) as opened:
            chosen, junk = _choose(opened, name)
            _write_all(opened, chosen, target, name)
    except _DAMAGE as error:
        raise _damaged(name, str(error) or "it ends too early") from error
    except NotImplementedError as error:
        raise SubmissionError(f"{name} cannot be unpacked ({error}); {_NEW_ZIP}") from error
    except OSError as error:
        raise _explained(error, name) from error
    return junk


def _refuse_other_formats(archive: Path, name: str) -> None:
    with archive.open("rb") as file:
        start = file.read(4)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 22 - 0xFFFF))
        tail = file.read()
    if not size:
        raise SubmissionError(f"{name} is empty; {_NEW_ZIP}")
    if size > MAX_BYTES:
        raise SubmissionError(f"{name} is larger than {MAX_BYTES >> 20} MB; {TOO_MUCH}")
    end = tail.rfind(b"PK\5\6")
    if end < 0 or len(tail) - end < 22:
        if start.startswith(b"PK"):
            raise _damaged(name, "its end is missing")
        other = next((what for mark, what in _OTHER_FORMATS.items() if start.startswith(mark)), "")
        raise SubmissionError(
            f"{name} is {f'{other}, ' if other else ''}not a zip file; {_NEW_ZIP}"
        )
    if _directory_size(tail, end) > MAX_DIRECTORY:
        raise SubmissionError(f"{name} holds far too many files; {TOO_MUCH}")


def _directory_size(tail: bytes, end: int) -> int:
    """Bytes of the table of contents, which zipfile reads before anything can be counted."""
    (size,) = struct.unpack_from("<L", tail, end + 12)
    wide = tail.rfind(b"PK\6\6", 0, end)  # the same for archives over 4 GB
    if wide >= 0 and len(tail) - wide >= 48:
        size = max(size if size != 0xFFFFFFFF else 0, *struct.unpack_from("<Q", tail, wide + 40))
    return int(size)


# ------------------------------------------------------------------ what is taken


def _choose(
    opened: zipfile.ZipFile, name: str
) -> tuple[dict[PurePosixPath, zipfile.ZipInfo], list[str]]:
    """Files to write by their path, and lines on what is passed over."""
    entries = [(info, _path(info, name)) for info in opened.infolist()]
    environments = {path.parent for _, path in entries if path.name == ENVIRONMENT}
    chosen: dict[PurePosixPath, zipfile.ZipInfo] = {}
    junk: dict[str, None] = {}
    for info, path in entries:
        line = _junk_line(path, environments)
        if line is not None:
            junk[line] = None
        elif path.parts and not info.is_dir() and not info.filename.endswith("\\"):
            _refuse_links_and_secrets(info, path, name)
            chosen[path] = info  # of two with one name the last counts, as in every unzip
    if len(chosen) > MAX_FILES:
        raise SubmissionError(f"{name} holds more than {MAX_FILES} files; {TOO_MUCH}")
    if sum(info.file_size for info in chosen.values()) > MAX_BYTES:
        raise _too_large(name)
    return chosen, list(junk)


def _path(info: zipfile.ZipInfo, name: str) -> PurePosixPath:
    """Where the entry says it goes; refused where that is outside."""
    text = _decoded(info).replace("\\", "/")  # some Windows programs write backslashes
    parts = [part for part in text.split("/") if part not in {"", "."}]
    outside = text.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", text)
    if outside:
        raise SubmissionError(
            f"{name} holds a file that wants to go outside its folder ({readable(text)!r}); "
            f"{_NEW_ZIP}"
        )
    return PurePosixPath(*parts)


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name; macOS writes UTF-8 without saying so, and zipfile takes it for cp437."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _junk_line(path: PurePosixPath, environments: set[PurePosixPath]) -> str | None:
    for depth, part in enumerate(path.parts, 1):
        top = PurePosixPath(*path.parts[:depth])
        why = why_junk(part) or ("a virtual environment" if top in environments else None)
        if why is not None:
            return f"{readable(str(top))}: {why}"
    return None


def _refuse_links_and_secrets(info: zipfile.ZipInfo, path: PurePosixPath, name: str) -> None:
    if stat.S_ISLNK(info.external_attr >> 16):
        raise SubmissionError(
            f"{name} holds a link ({readable(str(path))!r}) instead of a file; {_NEW_ZIP}"
        )
    if info.flag_bits & _ENCRYPTED:
        raise SubmissionError(f"{name} is locked with a password; hand in a zip without one")
    if info.compress_type not in _METHODS:
        raise SubmissionError(
            f"{name} is packed with an unusual method; use the zip program of your system"
        )


# ------------------------------------------------------------------ writing


def _write_all(
    opened: zipfile.ZipFile,
    chosen: dict[PurePosixPath, zipfile.ZipInfo],
    target: Path,
    name: str,
) -> None:
    packed = max(1, sum(info.compress_size for info in chosen.values()))
    written = 0
    for path, info in chosen.items():
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as output:
            for block in _blocks(opened, info):
                written += len(block)  # what really comes out, whatever the header promised
                bomb = written > RATIO_FROM and written > MAX_RATIO * packed
                if written > MAX_BYTES or bomb:
                    raise _too_large(name)
                output.write(block)


def _blocks(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with opened.open(info) as content:
        while block := content.read(1 << 16):
            yield block


def _too_large(name: str) -> SubmissionError:
    return SubmissionError(
        f"{name} unpacks to far more than a homework (over {MAX_BYTES >> 20} MB, or over "
        f"{MAX_RATIO} times its size); {TOO_MUCH}"
    )


def _damaged(name: str, how: str) -> SubmissionError:
    return SubmissionError(f"{name} is a damaged zip file ({how}); {_NEW_ZIP}")


def _explained(error: OSError, name: str) -> Exception:
    """The student's archive, or our disk?"""
    if error.errno is None:  # no system call failed: bz2 says so of a stream it cannot read
        return _damaged(name, str(error))
    if error.errno == errno.EINVAL:  # from seeking to a place before the file
        return _damaged(name, "it points outside itself")
    if error.errno == errno.ENAMETOOLONG:
        return SubmissionError(f"{name} holds a file name that is too long; {_NEW_ZIP}")
    if error.errno in {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}:
        return SubmissionError(f"{name} holds a file and a folder of one name; {_NEW_ZIP}")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return SubmissionError(f"{name} cannot be read ({error.strerror}); make it readable")
    return error
