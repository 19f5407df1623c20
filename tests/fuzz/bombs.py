"""Small files that want to become large ones, or a lot of work.

    python tests/fuzz/bombs.py

tries each as a hand-in, as `fuzz_intake.py` tries what it damages; `--only NUMBER` one of them.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import batches
import fuzz_intake
from odd_classes import NEIGHBOUR, Deep, Files, OddClass
from odd_code import MODEL
from quine import quine

# ---------------------------------------------------------------------- zips


def zipped(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def forty_two() -> bytes:
    """Sixteen zips in each of sixteen zips, and so on: 42.zip, smaller."""
    inner = zipped({"0.bin": bytes(16 << 20)})
    for _ in range(5):
        inner = zipped({f"{n:x}.zip": inner for n in range(16)})
    return inner


def nested(depth: int, ending: str = ".zip") -> bytes:
    inner, name = MODEL.encode(), "hw3.py"
    for _ in range(depth):
        inner = zipped({name: inner}) if ending == ".zip" else tarred({name: inner}, ending)
        name = f"a{ending}"
    return inner


def overlapping(count: int = 200, megabytes: int = 10) -> bytes:
    """Entries of which each holds the headers of those after it, and all the same zeros.

    David Fifield, "A better zip bomb": every header but the first is quoted in a stored block.
    """
    kernel = bytes(megabytes << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(kernel) + packer.flush()
    crc, size = zlib.crc32(kernel), len(kernel)
    heads: list[bytes] = []
    tail, content = packed, kernel[:0]
    for number in reversed(range(count)):
        name = b"%04d.bin" % number
        if heads:
            content = heads[-1] + content
            tail = (
                struct.pack("<BHH", 0, len(heads[-1]), len(heads[-1]) ^ 0xFFFF) + heads[-1] + tail
            )
            crc = zlib.crc32(kernel, zlib.crc32(content))
        fields = (20, 0, 8, 0, 0x21, crc, len(tail), size + len(content), len(name), 0)
        heads.append(b"PK\3\4" + struct.pack("<HHHHHLLLHH", *fields) + name)
    body, directory, at = heads[-1] + tail, b"", 0
    for head in reversed(heads):
        directory += b"PK\1\2\24\0" + head[4:30] + struct.pack("<HHHLL", 0, 0, 0, 0, at) + head[30:]
        at += len(head) + 5
    end = struct.pack("<HHHHLLH", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


def entries(count: int, name: bytes = b".x") -> bytes:
    """A zip of so many entries, which share one place."""
    fields = struct.pack("<HHHHHLLLHH", 20, 0, 0, 0, 0x21, 0, 0, 0, len(name), 0)
    body = b"PK\3\4" + fields + name
    entry = b"PK\1\2\24\0" + fields + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
    size, few = len(entry) * count, min(count, 0xFFFF)
    wide = struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, len(body))
    wide += struct.pack("<4sLQL", b"PK\6\7", 0, len(body) + size, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, few, few, size, len(body), 0)
    return body + entry * count + wide + end


# ---------------------------------------------------------------------- tars

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": lambda content: gzip.compress(content, 6),
    ".tar.bz2": bz2.compress,
    ".tar.xz": lambda content: lzma.compress(content, preset=1),
}


def tarred(files: dict[str, bytes], ending: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return PACKERS[ending](made.getvalue())


def header(name: str = "a.py", kind: bytes = b"0", **fields: bytes) -> bytes:
    """The header of a member, with some of its fields as they are given."""
    info = tarfile.TarInfo(name)
    info.type = kind
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    for field, value in fields.items():
        at = {"size": 124, "sparse": 386, "real": 483}[field]
        block[at : at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def streams(head: bytes, ending: str, megabytes: int) -> bytes:
    """A header and zeros, in many compressed streams, which are read as one."""
    again = PACKERS[ending](bytes(16 << 20))
    return PACKERS[ending](head) + again * (megabytes // 16)


def pax_body(count: int) -> bytes:
    """So many entries of a header."""
    lines = (b"%d=1\n" % n for n in range(10**7, 10**7 + count))
    return b"".join(b"14 " + line for line in lines)


def pax_headers(kind: bytes, records: int, members: int) -> bytes:
    """Members behind one header that says much about all of them, or each behind one."""
    body = pax_body(records)
    said = header("x", kind, size=b"%011o" % len(body)) + body + bytes(-len(body) % 512)
    member = header("a/", b"5")
    if kind == b"g":
        return gzip.compress(said + member * members + bytes(1024))
    return gzip.compress((said + member) * members + bytes(1024))


SEVEN_ZEROS = b"\xff" * 12  # -1, as GNU tar writes numbers that are no octal ones


# ---------------------------------------------------------------------- notebooks and scripts


def notebook(*sources: str) -> bytes:
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode()


def raw_notebook(metadata: str) -> bytes:
    return (
        b'{"cells": [{"cell_type": "code", "source": "x = 1"}], "metadata": %s}' % metadata.encode()
    )


_JOINED = "import a" + ".b" * 90_000 + "\n"  # for which Python's parser takes 9 GB

BOMBS: dict[str, Callable[[], Files]] = {
    "42.zip": lambda: {"s01.zip": forty_two()},
    "42.zip in a folder": lambda: {"s01/a.zip": forty_two(), "s01/hw3.py": MODEL.encode()},
    "a zip of itself": lambda: {"s01.zip": quine()},
    "zips of themselves": lambda: {f"s01/{n}.zip": quine() for n in range(100)},
    "overlapping entries": lambda: {"s01.zip": overlapping()},
    "50 zips in one another": lambda: {"s01.zip": nested(50)},
    "50 tarballs in one another": lambda: {"s01.tar.gz": nested(50, ".tar.gz")},
    "1,000,000 entries": lambda: {"s01.zip": entries(1_000_000)},
    "170,000 entries of junk": lambda: {"s01.zip": entries(170_000)},
    "a zip of 10,000 folders": lambda: {"s01.zip": zipped({"a/" * 10_000 + "b.py": b""})},
    "zips of 30,000 folders": lambda: {
        "s01.zip": zipped({"a/" * 30_000 + f"{n}.py": b"" for n in range(60)})
    },
    "a tarball of 10,000 folders": lambda: {
        "s01.tgz": tarred({"a/" * 10_000 + "b": b""}, ".tar.gz")
    },
    "1,500 folders": lambda: {"s01/deep": Deep(1_500)},
    "300 zips of zeros": lambda: {
        f"s01/{n}.zip": content for content in [zipped({"0": bytes(9 << 20)})] for n in range(300)
    },
    "1,000,000 headers": lambda: {"s01.tgz": gzip.compress(header() * 1_000_000, 1)},
    "a declared exabyte": lambda: {
        "s01.tar": header(size=b"\x80\0\0\0\x10" + bytes(7)) + bytes(1024)
    },
    "a sparse exabyte": lambda: {
        "s01.tar": header(kind=b"S", sparse=b"0" * 24, real=b"\x80\0\0\0\x10" + bytes(7))
        + bytes(1024)
    },
    "less than nothing": lambda: {
        "s01.tgz": streams(header(size=SEVEN_ZEROS) + bytes(1024), ".tar.gz", 2048)
    },
    "gzip of zeros": lambda: {
        "s01.tgz": streams(header(size=b"%011o" % (8 << 30)), ".tar.gz", 4096)
    },
    "bzip2 of zeros": lambda: {
        "s01.tar.bz2": streams(header(size=b"%011o" % (7 << 30)), ".tar.bz2", 4096)
    },
    "xz of zeros": lambda: {
        "s01.tar.xz": streams(header(size=b"%011o" % (7 << 30)), ".tar.xz", 4096)
    },
    "zeros as a name": lambda: {
        "s01.tgz": streams(header(kind=b"L", size=b"%011o" % (7 << 30)), ".tar.gz", 4096)
    },
    "much about all files": lambda: {"s01.tgz": pax_headers(b"g", 300_000, 20_000)},
    "something about all files": lambda: {"s01.tgz": pax_headers(b"g", 18_000, 20_000)},
    "much about each file": lambda: {"s01.tgz": pax_headers(b"x", 18_000, 30)},
    "headers about headers": lambda: {"s01.tar": header("x", b"g") * 20_000 + bytes(1024)},
    "a number of digits": lambda: {
        "s01.tgz": gzip.compress(header("x", b"x", size=b"%011o" % 200_000) + b"1" * 200_192)
    },
    "a notebook of deep lists": lambda: {"s01.ipynb": raw_notebook("[" * 10**6 + "]" * 10**6)},
    "a notebook of huge numbers": lambda: {
        "s01.ipynb": raw_notebook(f"[{'9' * 5000}, 1e999, -1e999, {'1' * 4000}.5]")
    },
    "a notebook of a large cell": lambda: {"s01.ipynb": notebook("x = 1\n" * (50 << 17))},
    "a notebook of names": lambda: {"s01.ipynb": notebook("a," * 7_000_000)},
    "a notebook of cells": lambda: {"s01.ipynb": notebook(*["("] * 200_000)},
    "a notebook of an import": lambda: {"s01.ipynb": notebook(_JOINED, MODEL)},
    "a notebook of parentheses": lambda: {
        "s01.ipynb": notebook("x = " + "(" * 10_000 + ")" * 10_000)
    },
    "a script of an import": lambda: {"s01.py": f"{_JOINED}{MODEL}".encode()},
    "a script of signs": lambda: {"s01.py": f"x = {'-' * 100_000}1\n{MODEL}".encode()},
    "a script of parentheses": lambda: {"s01.py": f"x = {'(' * 10_000}{')' * 10_000}".encode()},
    "a script of sums": lambda: {"s01.py": f"x = 1{'+1' * 90_000}\n{MODEL}".encode()},
    "a script of 50 MB": lambda: {"s01.py": b"x = 1\n" * (50 << 17)},
    "a script of a number": lambda: {"s01.py": f"x = 0x{'f' * 90_000}\n{MODEL}".encode()},
}

#: Seconds each; they come last.
SLOW = (
    *("1,000,000 headers", "gzip of zeros", "much about each file", "170,000 entries of junk"),
    "300 zips of zeros",
)
for _name in SLOW:
    BOMBS[_name] = BOMBS.pop(_name)


@contextmanager
def trying(seed: int) -> Iterator[tuple[Callable[[int], OddClass], Callable[[OddClass], bool]]]:
    """See `batches`."""
    made = list(BOMBS.values())

    def make(number: int) -> OddClass:
        files: Files = {**made[number](), f"{NEIGHBOUR}.py": MODEL.encode()}
        return OddClass("bomb", files | {"class.toml": b"deadline = 2026-04-30\n"}, is_drawn=True)

    with fuzz_intake.trying(seed) as (_, attempt):
        yield make, attempt


if __name__ == "__main__":
    batches.main(__file__, __doc__, trying, count=len(BOMBS))
