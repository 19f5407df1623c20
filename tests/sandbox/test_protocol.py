"""Frames come back as they went, and what is no frame is refused."""

from __future__ import annotations

import io
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.sandbox.protocol import HEADER_LIMIT, FrameError, frame_bytes, read_frame, write_frame


@given(
    st.dictionaries(
        st.text(max_size=9).filter(lambda k: k != "buffers"), st.integers() | st.text()
    ),
    st.lists(st.binary(max_size=99), max_size=5),
)
def test_a_frame_comes_back(header, buffers):
    stream = io.BytesIO()
    write_frame(stream, header, buffers)
    write_frame(stream, {"second": True})
    stream.seek(0)
    assert read_frame(stream) == (header, buffers)
    assert read_frame(stream) == ({"second": True}, [])
    assert read_frame(stream) is None


@given(st.binary(max_size=300))
def test_anything_else_is_refused_or_a_frame(data):
    try:
        frame = read_frame(io.BytesIO(data))
    except FrameError:
        return
    assert frame is None or isinstance(frame[0], dict)


def text(header):
    data = json.dumps(header).encode()
    return struct.pack("<I", len(data)) + data


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x00",
        struct.pack("<I", HEADER_LIMIT + 1),
        struct.pack("<I", 10) + b"{}",
        struct.pack("<I", 2) + b"no",
        struct.pack("<I", 50_000) + b"[" * 50_000,
        text([1, 2]),
        text({}),
        text({"buffers": [-1]}),
        text({"buffers": [True]}),
        text({"buffers": [1.0]}),
        text({"buffers": [1 << 60]}),
        text({"buffers": [5]}) + b"four",
    ],
)
def test_what_is_no_frame_is_an_error(data):
    with pytest.raises(FrameError):
        read_frame(io.BytesIO(data))


def test_the_payload_has_a_limit():
    data = frame_bytes({}, [b"x" * 100])
    with pytest.raises(FrameError, match="at most 99"):
        read_frame(io.BytesIO(data), payload_limit=99)


def test_a_header_that_would_be_refused_is_not_sent():
    with pytest.raises(ValueError, match="at most"):
        frame_bytes({"text": "x" * HEADER_LIMIT})
