"""Reads a zip that a stranger made."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from grader.errors import SubmissionError
from grader.intake.hand_in import TOO_MUCH
from grader.intake.members import Member, far_in, link_in, path_inside

KIND = "zip file"
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error)
MAX_DIRECTORY = 8 * 2**20  # bytes of the table of contents, which is read into memory
MAX_MEMBERS = 60_000  # of which most are junk, such as installed packages

#: Methods whose memory does not depend on what the archive says (LZMA's does).
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_UTF8 = 0x800  # flag: the name is UTF-8
_ENCRYPTED = 0x1
_TIMES = 0x5455  # extra field: seconds of the epoch, as written on Linux and macOS


class Zip:
    """An open zip. `name` stands for it in what the student reads."""

    def __init__(self, path: Path, name: str) -> None:
        _refuse_large_directory(path, name)
        self._file = zipfile.ZipFile(path)
        self._name = name
        if len(self._file.filelist) > MAX_MEMBERS:
            self._file.close()
            raise _too_many_files(name)
        self._content: IO[bytes] | None = None  # what is being read

    def members(self) -> list[Member]:
        """All that is in it, in the order of its table of contents."""
        return [self._member(info) for info in self._file.infolist()]

    def contents(self, members: Iterable[Member]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Each of these with its content, block by block."""
        for member in members:
            yield member, self._blocks(member.handle)

    def close(self) -> None:
        if self._content is not None:
            self._content.close()
        self._file.close()

    def _blocks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        with self._file.open(info) as self._content:
            while block := self._content.read(1 << 16):
                yield block

    def _member(self, info: zipfile.ZipInfo) -> Member:
        path = path_inside(_decoded(info), self._name)
        is_folder = info.filename.endswith(("/", "\\"))
        refusal = far_in(self._name, path)
        if stat.S_ISLNK(info.external_attr >> 16):
            refusal = link_in(self._name, path)
        elif info.flag_bits & _ENCRYPTED:
            refusal = f"{self._name} is locked with a password; hand in a zip without one"
        elif info.compress_type not in _METHODS:
            refusal = (
                f"{self._name} is packed with an unusual method; use the zip program of your system"
            )
        return Member(path, info.file_size, _stamp(info), is_folder, refusal, info)


def has_end(path: Path) -> bool:
    """Whether the record is there with which every zip ends."""
    return _end(_tail(path)) is not None


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 22 - 0xFFFF))
        return file.read()


def _end(tail: bytes) -> int | None:
    end = tail.rfind(b"PK\5\6")
    return None if end < 0 or len(tail) - end < 22 else end


def _refuse_large_directory(path: Path, name: str) -> None:
    """Its table of contents goes into memory before anything can be counted."""
    tail = _tail(path)
    end = _end(tail)
    if end is None:
        raise zipfile.BadZipFile("its end is missing")
    (size,) = struct.unpack_from("<L", tail, end + 12)
    wide = tail.rfind(b"PK\6\6", 0, end)  # the same for archives over 4 GB
    if wide >= 0 and len(tail) - wide >= 48:
        size = max(size if size != 0xFFFFFFFF else 0, *struct.unpack_from("<Q", tail, wide + 40))
    if size > MAX_DIRECTORY:
        raise _too_many_files(name)


def _too_many_files(name: str) -> SubmissionError:
    return SubmissionError(f"{name} holds far too many files; {TOO_MUCH}")


def _decoded(info: zipfile.ZipInfo) -> str:
    """The name; macOS writes UTF-8 without saying so, and zipfile takes it for cp437."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _stamp(info: zipfile.ZipInfo) -> datetime | None:
    """When the file was changed: exactly where the zip says so, else in some local time."""
    exact = _exact_time(info.extra)
    if exact is not None:
        return datetime.fromtimestamp(exact, UTC)
    if info.date_time[0] <= 1980:
        return None  # where the time of a zip begins: none was written
    try:
        return datetime(*info.date_time)  # noqa: DTZ001 - the zone is not in the zip
    except ValueError:
        return None


def _exact_time(extra: bytes) -> int | None:
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _TIMES and length >= 5 and len(extra) >= 9 and extra[4] & 1:
            (seconds,) = struct.unpack_from("<L", extra, 5)
            return int(seconds) or None
        extra = extra[4 + length :]
    return None
