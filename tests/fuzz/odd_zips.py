"""Zips whose headers say what is not so."""

from __future__ import annotations

import bz2
import lzma
import random
import struct
import zlib
from dataclasses import dataclass, field

from odd_names import some_name

LOCAL = "<4sHHHHHLLLHH"
CENTRAL = "<4sHHHHHHLLLHHHHHLL"
END = "<4sHHHHLLH"
_METHODS = (0, 8, 8, 8, 12)
_NUMBERS = (0, 1, 2, 7, 255, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF)
_MODES = (0o100644, 0o120777, 0o040755, 0o010644, 0o020666, 0o060666, 0o140777, 0)
_EXTRAS = (
    *(b"", b"\x01", b"UT\x05\x00\x01\xff\xff\xff\x7f", b"UT\x05\x00\x01\x00\x00\x00\x00"),
    *(b"UT\xff\xff\x01", b"UT\x00\x00", b"\x01\x00\x18\x00" + b"\xff" * 24, b"\x01\x00\x00\x00"),
    *(b"\x01\x00\x08\x00" + b"\x00" * 8, b"\x75\x70\x09\x00\x01\x00\x00\x00\x00evil"),
    *(b"\x00" * 4000,),
    *(b"UT\x09\x00\x03\x00\x00\x00\x80\x00\x00\x00\x80", b"\x99\x01\x07\x00\x02\x00AE\x03\x00\x00"),
)  # fmt: skip


@dataclass
class _Piece:
    """One file in the zip, as its two headers tell of it."""

    name: bytes
    packed: bytes
    local: list[int]
    central: list[int]
    extra: tuple[bytes, bytes] = (b"", b"")
    in_header: bytes = field(default=b"")  # another name in the local header


def some_zip(chance: random.Random, files: dict[str, bytes], odd: float = 0.7) -> bytes:
    """A zip of these files; lies in it so often."""
    lies = chance.random() < odd
    pieces = [_piece(chance, name, content, lies) for name, content in files.items()]
    if lies and chance.random() < 0.5:
        for _ in range(chance.choice((1, 1, 2, 6))):
            _lie(chance, chance.choice(pieces))
    return _joined(chance, pieces, lies)


def _piece(chance: random.Random, name: str, content: bytes, lies: bool) -> _Piece:
    if lies and chance.random() < 0.2:
        name = some_name(chance, 0.9)
    method = chance.choice(_METHODS)
    raw, flags = _encoded(chance, name)
    packed = _packed(method, content)
    time, date = chance.choice(((0, 0x21), (0x6000, 0x5A9A), (0xFFFF, 0xFFFF), (0, 0)))
    sizes = [zlib.crc32(content), len(packed), len(content)]
    local = [20, flags, method, time, date, *sizes]
    mode = 0o100644
    if lies and chance.random() < 0.1:
        mode = chance.choice(_MODES)
    central = [(3 << 8) | 20, 20, flags, method, time, date, *sizes, 0, 0, 0, mode << 16]
    return _Piece(raw, packed, local, central)


def _encoded(chance: random.Random, name: str) -> tuple[bytes, int]:
    way = chance.choice(("utf-8", "utf-8", "silent", "cp437", "lie"))
    if way == "cp437":
        return name.encode("cp437", "replace")[:60_000], 0
    raw = name.encode("utf-8", "surrogatepass")[:60_000]
    return raw, 0 if way == "silent" else 0x800


def _packed(method: int, content: bytes) -> bytes:
    if method == 8:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return packer.compress(content) + packer.flush()
    if method == 12:
        return bz2.compress(content)
    return lzma.compress(content) if method == 14 else content


def _lie(chance: random.Random, piece: _Piece) -> None:
    """One field of one of its headers, or of both, is another number."""
    number = chance.choice((*_NUMBERS, chance.randrange(1 << 32)))
    what = chance.randrange(10)
    if what < 6:
        place = chance.randrange(8)
        bits = 32 if place > 4 else 16
        if chance.random() < 0.7:
            piece.local[place] = number % (1 << bits)
        if chance.random() < 0.7:
            piece.central[place + 1] = number % (1 << bits)
    elif what < 7:
        flag = 1 << chance.randrange(
            16
        )  # encrypted, patched, sizes behind, strongly encrypted, ...
        piece.local[1] |= flag
        piece.central[2] |= flag
    elif what < 8:
        piece.central[3] = piece.local[2] = chance.choice((1, 6, 9, 10, 14, 19, 93, 95, 97, 98, 99))
    elif what < 9:
        piece.extra = (chance.choice(_EXTRAS), chance.choice(_EXTRAS))
    else:
        piece.in_header = b"x" * chance.randrange(1, 40)


def _joined(chance: random.Random, pieces: list[_Piece], lies: bool) -> bytes:
    body = bytearray(b"#!/bin/sh\n" * 9 if lies and chance.random() < 0.05 else b"")
    offsets = []
    for piece in pieces:
        if lies and offsets and chance.random() < 0.08:
            offsets.append(chance.choice(offsets))  # two entries, one place
            continue
        offsets.append(len(body))
        name = piece.in_header or piece.name
        lengths = (len(name), len(piece.extra[0]))
        body += struct.pack(LOCAL, b"PK\3\4", *piece.local, *lengths) + name + piece.extra[0]
        body += piece.packed
    directory = bytearray()
    for piece, at in zip(pieces, offsets, strict=True):
        lengths = (len(piece.name), len(piece.extra[1]), 0)
        offset = chance.choice(_NUMBERS) if lies and chance.random() < 0.04 else at
        *front, disk, inner, _, outer = piece.central
        fields = (*front, *lengths, disk, inner, outer, offset)
        directory += struct.pack(CENTRAL, b"PK\1\2", *fields) + piece.name + piece.extra[1]
    return bytes(body + directory) + _ending(chance, len(pieces), len(directory), len(body), lies)


def _ending(chance: random.Random, count: int, size: int, start: int, lies: bool) -> bytes:
    numbers = [0, 0, count, count, size, start]
    wide = b""
    if lies and chance.random() < 0.15:
        at = chance.randrange(6)
        numbers[at] = chance.choice(_NUMBERS) % (1 << (16 if at < 4 else 32))
    if lies and chance.random() < 0.12:
        wide = _wide_ending(chance, count, size, start)
        numbers = [0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF]
    comment = chance.choice((b"", b"", b"PK\5\6", b"x" * 300, bytes(40))) if lies else b""
    return wide + struct.pack(END, b"PK\5\6", *numbers, len(comment)) + comment


def _wide_ending(chance: random.Random, count: int, size: int, start: int) -> bytes:
    """The records for zips over 4 GB."""
    numbers = [44, 45, 45, 0, 0, count, count, size, start]
    at = chance.randrange(9)
    most = 16 if at in {1, 2} else 32 if at in {3, 4} else 64
    numbers[at] = chance.choice((*_NUMBERS, 1 << 62, (1 << 64) - 1)) % (1 << most)
    record = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", *numbers)
    place = chance.choice((start + size, start + size, 0, 1 << 63, (1 << 64) - 1))
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, place, chance.choice((1, 1, 0, 7)))
