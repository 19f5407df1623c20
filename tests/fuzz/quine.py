"""A zip that holds itself, after Russ Cox, "Zip Files All The Way Down".

Two commands of Deflate are enough: one prints bytes that follow it, one repeats the last bytes of
the output. Each takes ten bytes, so that four of them can be printed and repeated like data.
"""

from __future__ import annotations

import struct
import zlib

_UNIT = 10
_STORED = b"\0\0\0\xff\xff"  # an empty block: does nothing, and ends at a byte


def quine(name: bytes = b"r.zip") -> bytes:
    """A zip with one file in it, called `name`, which is this zip."""
    size = len(_joined(name, 0, 0))

    def crc_if(crc: int) -> int:
        return zlib.crc32(_joined(name, crc, size))

    # Its own CRC stands in it, and so changes it: 32 linear equations, of 32 bits.
    start = crc_if(0)
    rows = [(1 << bit) ^ start ^ crc_if(1 << bit) for bit in range(32)]
    return _joined(name, _solved(rows, start), size)


def _joined(name: bytes, crc: int, size: int) -> bytes:
    ends = 30 + len(name), 46 + len(name) + 22  # the bytes before and behind what is packed
    packed = max(size - sum(ends), 0)
    fields = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 0x21, crc, packed, size, len(name), 0)
    front = b"PK\3\4" + fields + name
    back = b"PK\1\2\24\0" + fields + struct.pack("<HHHLL", 0, 0, 0, 0, 0) + name
    start = max(size - ends[1], 0)
    back += b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 1, 1, len(back), start, 0)

    print_front, repeat_front = _print(len(front) + _UNIT), _repeat(len(front) + _UNIT)
    print_1, print_4, repeat_4 = (_print(_UNIT), _print(4 * _UNIT), _repeat(4 * _UNIT))
    length = len(back) + len(_repeat(len(back) + _UNIT))
    print_back, repeat_back = _print(length), _repeat(length, final=True)
    return b"".join(
        (
            *(front, print_front, front, print_front, repeat_front, print_1),
            *(repeat_front, print_1, print_1, print_4) * 2,
            *(repeat_4, print_4) * 4,
            *(repeat_4, _print(0), _print(0), print_back) * 2,
            *(repeat_back, back) * 2,
        )
    )


def _print(count: int) -> bytes:
    return _STORED + struct.pack("<BHH", 0, count, count ^ 0xFFFF)


def _repeat(count: int, final: bool = False) -> bytes:
    """A block of two copies, of ten bytes and of the others, and an empty one to end at a byte."""
    bits = f"010{_copy(10, count)}{_copy(count - 10, count)}0000000{'100' if final else '000'}"
    bits += "0" * (-len(bits) % 8)
    packed = bytes(int(bits[at : at + 8][::-1], 2) for at in range(0, len(bits), 8))
    return packed + b"\0\0\xff\xff"


def _copy(length: int, distance: int) -> str:
    """The bits of a copy, in the order of the stream."""
    (symbol, extra), (code, more) = _symbol(length - 3, 4), _symbol(distance - 1, 2)
    return f"{symbol + 1:07b}{extra}{code:05b}{more}"


def _symbol(value: int, steps: int) -> tuple[int, str]:
    """Deflate's number for a length or a distance, and the bits that follow it."""
    bits = max(value.bit_length() - steps.bit_length(), 0)
    rest = f"{value % (1 << bits):0{bits}b}"[::-1] if bits else ""
    return steps * bits + (value >> bits), rest


def _solved(rows: list[int], wanted: int) -> int:
    """Which of the rows make up `wanted` together, as bits."""
    pivots: dict[int, tuple[int, int]] = {}

    def reduced(row: int, used: int) -> tuple[int, int]:
        for place in range(32, 0, -1):
            if row >> (place - 1) & 1 and place in pivots:
                row ^= pivots[place][0]
                used ^= pivots[place][1]
        return row, used

    for number, row in enumerate(rows):
        left, used = reduced(row, 1 << number)
        if left:
            pivots[left.bit_length()] = (left, used)
    return reduced(wanted, 0)[1]
