"""What the machine has, as CUDA_VISIBLE_DEVICES and `collapse` leave it."""

from __future__ import annotations

import pytest

from grader.vgpu import devices
from grader.vgpu.backends.cpu import Cpu


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Configure a machine of its own for one test; torch itself is not touched."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(devices, "_machine", devices._Machine())
    monkeypatch.setattr(devices, "_thread", devices._Thread())

    def configure(count: int, *, collapse: bool = False, heed_pins: bool = True) -> None:
        devices.configure(count, Cpu(), collapse=collapse, heed_pins=heed_pins)

    return configure


PINS = {
    "0": 1,
    "2,3": 2,
    " 1 , 4 ": 2,
    "": 0,
    "-1": 0,
    "0,-1,1": 1,  # the list ends at its first bad entry
    "0,5": 1,
    "7": 0,
    "1,1": 0,  # repeated: none at all
    "zero": 0,
    "GPU-8932f937": 0,
}


@pytest.mark.parametrize("pins", PINS)
def test_pins_limit_the_gpus(machine, monkeypatch: pytest.MonkeyPatch, pins: str) -> None:
    machine(5)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", pins)
    assert devices.count() == PINS[pins]


def test_pins_count_until_first_use(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(5)
    assert devices.count() == 5
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,1")
    assert devices.place("cuda:1") == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices.count() == 2
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        devices.place("cuda:2")


def test_pins_can_be_ignored(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(5, heed_pins=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert (devices.count(), devices.place("cuda:4")) == (5, 4)


def test_pinned_to_none(machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine(5)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(RuntimeError, match="No CUDA GPUs are available"):
        devices.place("cuda")


def test_a_machine_without_gpus(machine) -> None:
    machine(0)
    assert devices.count() == 0
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        devices.place("cuda:0")
    assert devices.place("cpu") is None


def test_collapsed_devices_are_all_the_first(machine) -> None:
    machine(3, collapse=True)
    assert devices.count() == 3
    assert [devices.place(f"cuda:{i}") for i in range(3)] == [0, 0, 0]
    devices.set_current(2)
    assert (devices.current(), devices.place("cuda")) == (2, 0)
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        devices.place("cuda:3")


def test_cuda_is_initialized_by_use_not_by_counting(machine) -> None:
    machine(2)
    assert devices.count() == devices.settle() == 2
    assert not devices.is_initialized()
    assert devices.place("cpu") is None
    assert not devices.is_initialized()
    assert devices.place(1) == 1
    assert devices.is_initialized()
