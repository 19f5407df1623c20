"""Damages bytes at random: what a bad disk, a bad program or a bad intent makes of a file."""

from __future__ import annotations

import random
from collections.abc import Callable


def damaged(chance: random.Random, content: bytes, other: bytes = b"") -> bytes:
    """The content with a few things done to it; `other` is what parts may be taken from."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(len(data)) if data else 0
        length = min(chance.choice((1, 4, 30, 300, 5000)), len(data) - at)
        chance.choice(_WAYS)(chance, data, at, length, other)
    return bytes(data[: 1 << 22])


def _flip(chance: random.Random, data: bytearray, at: int, length: int, _: bytes) -> None:
    for n in range(at, at + min(length, 8)):
        data[n] = chance.randrange(256)


def _cut(_: random.Random, data: bytearray, at: int, length: int, __: bytes) -> None:
    del data[at : at + length]


def _end(_: random.Random, data: bytearray, at: int, __: int, ___: bytes) -> None:
    if at > len(data) // 2:
        del data[at:]


def _repeat(chance: random.Random, data: bytearray, at: int, length: int, _: bytes) -> None:
    data[at:at] = data[at : at + length] * chance.choice((1, 3, 200))


def _splice(chance: random.Random, data: bytearray, at: int, length: int, other: bytes) -> None:
    start = chance.randrange(len(other)) if other else 0
    data[at : at + length] = other[start : start + length]


def _token(chance: random.Random, data: bytearray, at: int, _: int, __: bytes) -> None:
    data[at:at] = chance.choice(_TOKENS) * chance.choice((1, 1, 2, 3000))


def _number(chance: random.Random, data: bytearray, at: int, _: int, __: bytes) -> None:
    """Replace the next number by another: sizes, offsets and references become wrong."""
    start = next((n for n in range(at, len(data)) if 48 <= data[n] < 58), None)
    if start is not None:
        end = next((n for n in range(start, len(data)) if not 48 <= data[n] < 58), len(data))
        data[start:end] = chance.choice((b"0", b"-1", b"65536", b"4294967295", b"9" * 30, b"3"))


_Way = Callable[[random.Random, bytearray, int, int, bytes], None]
_WAYS: tuple[_Way, ...] = (_flip, _cut, _end, _repeat, _splice, _token, _number, _number)
_TOKENS = (
    *(b"<td>", b"<table>", b"</w:p>", b"<w:tbl>", b"<w:p>", b"<w:tc>", b"<ol><li>", b"&#65;"),
    *(b"| a ", b"```\n", b"[", b"{", b'"cells":', b"\n", b"(", b"BT ", b" Tj ", b" re ", b" Do "),
    *(b"1e999 ", b"\x00", b"\xff\xfe", "ﬁ\u202e".encode(), b"1 0 R ", b"endobj ", b"<< /Kids ["),
)  # fmt: skip
