from __future__ import annotations

import resource

import pytest

from grader.memory_bound import memory_bound


def test_more_than_was_granted_is_refused_and_later_all_is_as_before() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_bound(64 << 20):
        bytearray(32 << 20)
        with pytest.raises(MemoryError):
            bytearray(128 << 20)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    bytearray(128 << 20)


def test_a_tighter_limit_stays() -> None:
    with memory_bound(32 << 20):
        outer = resource.getrlimit(resource.RLIMIT_DATA)
        with memory_bound(1 << 30):
            assert resource.getrlimit(resource.RLIMIT_DATA) == outer
