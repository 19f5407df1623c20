"""Frames between the judge and a worker: 4-byte length, JSON header, raw bytes. Never pickle.

The header names its buffers' sizes under "buffers". What a worker sends is not trusted:
every reader bounds what it takes, and a frame that does not fit is a `FrameError`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import IO

from grader.records import Json

HEADER_LIMIT = 64 * 1024
PAYLOAD_LIMIT = 64 * 1024 * 1024

Frame = tuple[Json, list[bytes]]


class FrameError(Exception):
    """The other side sent something that is no frame."""


def frame_bytes(header: Json, buffers: Sequence[bytes] = ()) -> bytes:
    """One frame; ValueError where the header is too long to be one."""
    text = json.dumps(header | {"buffers": [len(b) for b in buffers]}).encode()
    if len(text) > HEADER_LIMIT:
        raise ValueError(f"frame header of {len(text)} bytes; at most {HEADER_LIMIT} are allowed")
    return b"".join((struct.pack("<I", len(text)), text, *buffers))


def write_frame(stream: IO[bytes], header: Json, buffers: Sequence[bytes] = ()) -> None:
    """Send one frame."""
    stream.write(frame_bytes(header, buffers))
    stream.flush()


def read_frame(stream: IO[bytes], *, payload_limit: int = PAYLOAD_LIMIT) -> Frame | None:
    """Read one frame; None where the stream ends between frames. Raises FrameError."""
    prefix = stream.read(4)
    if not prefix:
        return None
    length = struct.unpack("<I", prefix)[0] if len(prefix) == 4 else HEADER_LIMIT + 1
    if length > HEADER_LIMIT:
        raise FrameError("not a frame header")
    try:
        header = json.loads(_exactly(stream, length))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"header is not JSON: {error}") from error
    sizes = header.pop("buffers", None) if isinstance(header, dict) else None
    if not isinstance(sizes, list) or not all(type(n) is int and n >= 0 for n in sizes):
        raise FrameError("header does not say which buffers follow")
    if sum(sizes) > payload_limit:
        raise FrameError(f"payload of {sum(sizes)} bytes; at most {payload_limit} are allowed")
    return header, [_exactly(stream, n) for n in sizes]


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise FrameError("the stream ended inside a frame")
    return data
