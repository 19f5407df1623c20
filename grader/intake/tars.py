"""Reads a tarball that a stranger made, plain or compressed.

A tar has no table of contents. It is read twice from front to back: once for the headers, once
for the files that are wanted. tarfile sees the first pass only, through a reader that never goes
back and gives out no more than headers need.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

from grader.errors import SubmissionError
from grader.intake.budget import Budget
from grader.intake.hand_in import TOO_MUCH
from grader.intake.members import NEW_ZIP, Member, far_in, link_in, path_inside
from grader.intake.names import brief

KIND = "tar archive"
DAMAGE = (
    tarfile.TarError,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    ValueError,
    OverflowError,
)
MAX_HEADERS = 24 * 2**20  # bytes of all headers, which become objects in memory
MAX_HEADER = 256 * 2**10  # bytes of one: a long name, or what else is to be known of a file
_MOST_GLOBAL = 100  # what is said of all files; tarfile copies it for each
_DIGITS = b"0" * 100  # so many in a row are no number
_DIGITS_AS_ZERO = bytes.maketrans(b"123456789", b"000000000")
JUNK_FACTOR = 2  # so much of the limit may be read through, as there may be junk between files
_XZ_MEMORY = 128 * 2**20  # `xz -9` asks for 65 MB
_BLOCK = 1 << 16
_RECORD = 512

_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0"


class Tar:
    """An open tarball. `name` stands for it in what the student reads."""

    def __init__(self, path: Path, name: str, budget: Budget) -> None:
        self._path, self._name, self._budget = path, name, budget
        self._files: list[IO[bytes]] = []

    def members(self) -> list[Member]:
        """All that is in it, in order."""
        stream = _Headers(self._source(), self._name, self._budget)
        found = []
        with tarfile.open(fileobj=stream, mode="r:") as opened:  # type: ignore[call-overload]
            for info in opened:
                found.append(self._member(info))
                opened.members = []  # it would keep them all
                if len(opened.pax_headers) > _MOST_GLOBAL:
                    raise tarfile.ReadError("it says far too much of its files")
        if stream.last != bytes(_RECORD):
            raise tarfile.ReadError("its end is missing")
        return found

    def contents(self, members: Iterable[Member]) -> Iterator[tuple[Member, Iterator[bytes]]]:
        """Each of these with its content, block by block; in the order of the tarball."""
        stream = _Forward(self._source(), self._name, self._budget)
        for member in sorted(members, key=lambda member: int(member.handle)):
            stream.seek(member.handle)
            yield member, _blocks(stream, member.size)

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _source(self) -> _Readable:
        file = self._path.open("rb")
        self._files.append(file)
        return _decompressed(file)

    def _member(self, info: tarfile.TarInfo) -> Member:
        if info.size < 0:
            raise tarfile.ReadError("a size in it is wrong")
        path = path_inside(info.name, self._name)
        shown = brief(str(path))
        refusal = far_in(self._name, path)
        if info.issym() or info.islnk():
            refusal = link_in(self._name, path)
        elif info.issparse():
            refusal = f"{self._name} is packed in an unusual way (sparse files); {NEW_ZIP}"
        elif not info.isreg():
            refusal = f"{self._name} holds something that is no file ({shown!r}); {NEW_ZIP}"
        stamp = _stamp(info.mtime)
        return Member(path, info.size, stamp, info.isdir(), refusal, info.offset_data)


def starts_as_tar(path: Path) -> bool:
    """Whether a file begins as a tar does, or as a compressed one may."""
    with path.open("rb") as file:
        start = file.read(_RECORD)
    return start.startswith((_GZIP, _BZIP2, _XZ)) or start[257:262] == b"ustar"


def _stamp(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 2**33 else None


def _blocks(stream: _Forward, size: int) -> Iterator[bytes]:
    while size:
        block = stream.read(min(size, _BLOCK))
        if not block:
            raise EOFError("it ends too early")
        size -= len(block)
        yield block


# ------------------------------------------------------------------ reading forward only


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Forward:
    """A stream that goes forward only, and counts."""

    def __init__(self, source: _Readable, name: str, budget: Budget) -> None:
        self._source, self._name, self._budget = source, name, budget
        self._place = 0

    def tell(self) -> int:
        return self._place

    def seek(self, place: int) -> int:
        if place < self._place:
            raise tarfile.ReadError("it points back into itself")
        while self._place < place:
            if not self._advance(min(place - self._place, _BLOCK)):
                raise EOFError("it ends too early")
        return place

    def read(self, size: int) -> bytes:
        pieces = []
        while size and (piece := self._advance(min(size, _BLOCK))):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def _advance(self, size: int) -> bytes:
        piece = self._source.read(size)
        self._place += len(piece)
        most = JUNK_FACTOR * self._budget.most_bytes
        if self._place > most or self._budget.is_bomb(self._place):
            raise self._budget.too_large(self._name)
        return piece


class _Headers(_Forward):
    """What tarfile takes for a file: headers are read, contents are skipped.

    It believes the sizes in headers, and some ways of reading them take square time.
    """

    _given = 0
    last = b""  # what was read last

    def read(self, size: int) -> bytes:
        self._given += size
        if self._given > MAX_HEADERS:
            raise SubmissionError(f"{self._name} holds far too many files; {TOO_MUCH}")
        if not 0 <= size <= MAX_HEADER:
            raise tarfile.ReadError("a size in it is wrong")
        self.last = super().read(size)
        if _DIGITS in self.last.translate(_DIGITS_AS_ZERO):
            raise tarfile.ReadError("a number in it is far too long")
        return self.last


def _decompressed(file: IO[bytes]) -> _Readable:
    start = file.read(len(_XZ))
    file.seek(0)
    if start.startswith(_GZIP):
        return gzip.GzipFile(fileobj=file)
    if start.startswith(_BZIP2):
        return bz2.BZ2File(file)
    return _Xz(file) if start == _XZ else file


class _Xz:
    """`lzma.open` with a bound on its memory, which is for the compressed file to say."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decompressor = self._new()

    @staticmethod
    def _new() -> lzma.LZMADecompressor:
        return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)

    def read(self, size: int, /) -> bytes:
        while True:
            if self._decompressor.eof:
                rest = (self._decompressor.unused_data or self._file.read(_BLOCK)).lstrip(b"\0")
                if not rest:
                    return b""
                self._decompressor = self._new()  # several in a row are one file
            else:
                rest = self._file.read(_BLOCK) if self._decompressor.needs_input else b""
                if self._decompressor.needs_input and not rest:
                    raise EOFError("it ends too early")
            if piece := self._decompressor.decompress(rest, size):
                return piece
