"""Settings come from arguments or the environment, and pass to child processes unchanged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from grader.errors import UsageError
from grader.vgpu.settings import (
    Settings,
    from_environment,
    read_size,
    to_environment,
    with_changes,
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name == "VGPU" or name.startswith("VGPU_")]:
        monkeypatch.delenv(name)


def set_all(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("count", ["0", "1", "128", " 5 "])
def test_the_count(monkeypatch: pytest.MonkeyPatch, count: str) -> None:
    monkeypatch.setenv("VGPU", count)
    assert from_environment() == Settings(count=int(count))
    assert from_environment(count=3) == Settings(count=3)


def test_the_environment_says_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "VGPU": "4",
        "VGPU_COLLAPSE": "1",
        "VGPU_HEED_PINS": "0",
        "VGPU_DATA": "meta",
        "VGPU_GPU": "H100",
        "VGPU_MEMORY": "24GiB",
        "VGPU_CLOCK": "virtual",
        "VGPU_TIMELINE": "1",
        "VGPU_GENERATORS": "per-device",
        "VGPU_TRACE_FOLDER": "some/where",
    }
    set_all(monkeypatch, variables)
    found = from_environment()
    assert (found.count, found.collapse, found.heed_pins) == (4, True, False)
    assert (found.data, found.gpu, found.memory) == ("meta", "H100", 24 << 30)
    assert (found.clock, found.timeline, found.generators) == ("virtual", True, "per-device")
    assert found.trace_folder == Path("some/where")
    assert found.simulates_time
    assert from_environment(memory="1GB", collapse=False).memory == 10**9


CHILDREN: list[dict[str, Any]] = [
    {"count": 0},
    {"count": 5, "memory": 7, "heed_pins": False},
    {"count": 2, "collapse": True, "data": "meta", "trace_folder": Path("a b")},
    {"count": 2, "gpu": "H100", "clock": "virtual", "timeline": True, "generators": "per-device"},
]


@pytest.mark.parametrize("given", CHILDREN)
def test_a_child_reads_the_same(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
    settings = Settings(**given)
    set_all(monkeypatch, to_environment(settings))
    assert from_environment() == settings


def test_a_child_reads_the_same_whatever_else_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGPU_CLOCK", "virtual")
    for name, value in to_environment(Settings(count=2, clock="real")).items():
        monkeypatch.setenv(name, value)
    assert from_environment() == Settings(count=2)


def test_changes() -> None:
    settings = Settings(count=2, memory=5)
    assert with_changes(settings, memory=None, data="meta") == Settings(2, memory=5, data="meta")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("80GB", 80 * 1000**3),
        ("80GiB", 80 * 1024**3),
        ("1.5 mib", 3 << 19),
        ("512", 512),
        ("2TB", 2 * 1000**4),
        ("10kb", 10_000),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert read_size(text, "here") == size


WRONG = {
    "VGPU": ("", "a whole number from 0 to 128"),
    "VGPU_DATA": ("disk", "cpu or cuda or meta"),
    "VGPU_CLOCK": ("fast", "real or virtual"),
    "VGPU_GENERATORS": ("none", "shared or per-device"),
    "VGPU_MEMORY": ("80 apples", "a size such as 80GB or 512MiB"),
    "VGPU_COLLAPSE": ("yes", "0 or 1"),
    "VGPU_HEED_PINS": ("true", "0 or 1"),
    "VGPU_TIMELINE": ("2", "0 or 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_value_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    value, expected = WRONG[name]
    set_all(monkeypatch, {"VGPU": "2", name: value})
    with pytest.raises(UsageError) as caught:
        from_environment()
    assert str(caught.value) == (
        f"the environment variable {name}; expected {expected}; found {value!r}"
    )


@pytest.mark.parametrize("count", [-1, 129, 2.5, True, "two", "-1"])
def test_a_wrong_count_as_argument(count: Any) -> None:
    with pytest.raises(UsageError) as caught:
        from_environment(count=count)
    assert str(caught.value) == (
        "the number of virtual GPUs; expected a whole number from 0 to 128; found " + repr(count)
    )


def test_a_wrong_argument_is_named() -> None:
    with pytest.raises(
        UsageError, match=r"^the argument data; expected cpu or cuda or meta; found"
    ):
        from_environment(count=1, data="disk")


@pytest.mark.parametrize("size", ["0", "0GB", 0, -5])
def test_a_gpu_without_memory(size: Any) -> None:
    with pytest.raises(UsageError, match="expected a size above 0"):
        from_environment(count=1, memory=size)


def test_an_unknown_setting() -> None:
    with pytest.raises(UsageError) as caught:
        from_environment(count=1, memroy="80GB")
    assert str(caught.value).startswith(
        "there is no setting memroy; expected one of devices, collapse, "
    )
