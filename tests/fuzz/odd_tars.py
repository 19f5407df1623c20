"""Tarballs whose headers say what is not so."""

from __future__ import annotations

import bz2
import gzip
import lzma
import random
import tarfile
from collections.abc import Callable

from damage import damaged
from odd_names import some_name

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": lambda content: gzip.compress(content, 1),
    ".tgz": lambda content: gzip.compress(content, 1),
    ".tar.bz2": lambda content: bz2.compress(content, 1),
    ".tar.xz": lambda content: lzma.compress(content, preset=0),
    ".tar.zst": lambda content: b"\x28\xb5\x2f\xfd" + content,
}
_FORMS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
_KINDS = b"0\01234567LKSxgXDMVN\xff"
#: Where the fields of a header are: (start, end).
_FIELDS = {
    "name": (0, 100), "mode": (100, 108), "uid": (108, 116), "gid": (116, 124), "size": (124, 136),
    "mtime": (136, 148), "sum": (148, 156), "kind": (156, 157), "link": (157, 257),
    "magic": (257, 265), "device": (329, 345), "front": (345, 500),
    "sparse": (386, 512), "more": (482, 495),
}  # fmt: skip
_ODD = (
    *(b"", b"\0", b"\xff" * 12, b"\x80" + b"\0" * 11, b"\xff" * 11 + b"\x00", b"-1", b"-00001000"),
    *(b"77777777777", b"8", b" 7 7", b"\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"),
    *(b"0" * 12,),
    *(b"00000000001", b"00000001000", b"00200000000", b"../x", b"/x", b"\xff\xfe", b"a" * 200),
    *(b"1",),
    *(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\x00", b"ustar  \0", b"ustar\00099"),
    *(b"GNUtar ",),
)  # fmt: skip
_PAX_KEYS = (
    *("path", "linkpath", "size", "mtime", "uid", "gname", "comment", "hdrcharset", "charset"),
    *("GNU.sparse.major", "GNU.sparse.minor", "GNU.sparse.map", "GNU.sparse.size"),
    *("GNU.sparse.name",),
    *("GNU.sparse.realsize", "GNU.sparse.numblocks", "GNU.sparse.offset", "SCHILY.xattr.user.x"),
)  # fmt: skip
_PAX_VALUES = (
    *("", "0", "1", "-1", "-512", "1.5", "1e999", "nan", "inf", "9" * 400, "9" * 5000, "BINARY"),
    *("0,1",),
    *("../evil.py", "/evil.py", "a\0b", "\udcff", "x" * 300, "a/" * 3000, "x" * 70_000),
    *("0,1,2,9999999999",),
    *("0,512,-5,7", "\n", "=", "ISO-IR 10646 2000 UTF-8"),
)  # fmt: skip


def some_tar(
    chance: random.Random, files: dict[str, bytes], ending: str, odd: float = 0.7
) -> bytes:
    """A tarball of these files, packed as its ending says; lies in it so often."""
    lies = chance.random() < odd
    blocks = bytearray()
    form = chance.choice(_FORMS)
    for name, content in files.items():
        blocks += _member(chance, name, content, form, lies)
    blocks += bytes(chance.choice((1024, 1024, 1024, 10240, 512, 0)) if lies else 1024)
    if lies and chance.random() < 0.1:
        blocks = bytearray(damaged(chance, bytes(blocks), bytes(blocks)))
    packed = PACKERS[ending](bytes(blocks))
    if lies and chance.random() < 0.05:
        packed += chance.choice((packed, bytes(512), b"garbage", packed[:40]))
    return packed


def _member(chance: random.Random, name: str, content: bytes, form: int, lies: bool) -> bytes:
    if lies and chance.random() < 0.2:
        name = some_name(chance, 0.9)
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(content), chance.choice((0, 1_700_000_000, 2**33, 2**40))
    if lies and chance.random() < 0.15:
        info.type = bytes([chance.choice(_KINDS)])
        info.linkname = chance.choice(("hw3.py", "/etc/passwd", "../../evil", name[:90], ""))
    if form == tarfile.PAX_FORMAT and lies:
        info.pax_headers = _some_pax(chance)
    if len(name) > 300 and form == tarfile.USTAR_FORMAT:
        form = tarfile.GNU_FORMAT  # which can, and is tried quickly
    try:
        head = bytearray(info.tobuf(form, "utf-8", "surrogateescape"))
    except (ValueError, UnicodeError):  # not in this form: a name that is too long, for one
        info.name, info.linkname = "hw3.py", ""
        info.pax_headers = {}
        info.mtime = 0
        head = bytearray(info.tobuf(form, "utf-8", "surrogateescape"))
    if lies and chance.random() < 0.4:
        _lie(chance, head)
    if lies and chance.random() < 0.05:
        head = bytearray(_global_pax(chance)) + head
    return bytes(head) + content + bytes(-len(content) % 512)


def _some_pax(chance: random.Random) -> dict[str, str]:
    count = chance.choice((0, 0, 1, 1, 2, 3))
    return {chance.choice(_PAX_KEYS): chance.choice(_PAX_VALUES) for _ in range(count)}


def _global_pax(chance: random.Random) -> bytes:
    try:
        return tarfile.TarInfo.create_pax_global_header(_some_pax(chance))
    except (ValueError, UnicodeError):
        return b""


def _lie(chance: random.Random, head: bytearray) -> None:
    """Fields of one of its blocks are something else; mostly its checksum fits again."""
    at = 512 * chance.randrange(len(head) // 512)
    block = head[at : at + 512]
    for _ in range(chance.choice((1, 1, 2))):
        start, end = _FIELDS[chance.choice(sorted(_FIELDS))]
        put = chance.choice(_ODD)[: end - start]
        if end - start == 1:
            put = bytes([chance.choice(_KINDS)])
        block[start : start + len(put)] = put
    if chance.random() < 0.9:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    head[at : at + 512] = block
