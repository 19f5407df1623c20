"""Where the random numbers of virtual GPUs come from: one stream for all, or a counter for each.

Either kind of state is named by a seed and an offset, 16 bytes as CUDA has. A `Counter` is no more
than the two: every op draws from a fresh generator that they determine, so equal states give equal
numbers on every GPU and in every process. A `Stream` is a generator of the CPU: its offset names a
snapshot of that generator, 0 the one just seeded. Snapshots travel in the storage of the state
behind its 16 bytes, so a state that is saved whole replays in another process; copies of the 16
bytes alone find the snapshot in this process, and elsewhere start a stream of their own, the same
one each time.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from grader.vgpu import devices

K = TypeVar("K")
V = TypeVar("V")

#: torch.Generator before `patches.generators` stands in front of it.
Generator = torch.Generator
_WORD = (1 << 64) - 1
#: An offset is positive and a multiple of four, as CUDA's are.
_OFFSET = (1 << 63) - 4
_STEP = 4
#: How many snapshots this process keeps for copies of states, of 5 KiB each.
KEPT = 4096

_lock = threading.RLock()
_snapshots: OrderedDict[tuple[int, int], Tensor] = OrderedDict()
#: Streams that began at a state nobody knew: what they look like, and that state.
_begun: OrderedDict[bytes, tuple[int, int]] = OrderedDict()


class State(Protocol):
    """Where a generator is, and what an op draws from there."""

    def where(self) -> tuple[int, int]:
        """Seed and offset."""

    def go(self, seed: int, offset: int, snapshot: Tensor | None = None) -> None:
        """Continue from there; a snapshot is believed if it is the one that the offset names."""

    def snapshot(self) -> Tensor | None:
        """What must travel with seed and offset, if anything."""

    def lend(self, gpu: int) -> Generator:
        """What the next op on this GPU draws from."""

    def copy(self) -> State:
        """A state of its own at the same point."""


class Counter:
    """Seed and offset. Ops on one GPU or several may share it; each moves it on."""

    def __init__(self, seed: int, offset: int = 0) -> None:
        self._seed, self._offset = seed & _WORD, offset

    def where(self) -> tuple[int, int]:
        return self._seed, self._offset

    def go(self, seed: int, offset: int, snapshot: Tensor | None = None) -> None:  # noqa: ARG002
        self._seed, self._offset = seed & _WORD, offset

    def snapshot(self) -> Tensor | None:
        return None

    def lend(self, gpu: int) -> Generator:
        generator = Generator(devices.backend().device(gpu))
        with _lock:
            generator.manual_seed(_draw_seed(self._seed, self._offset))
            self._offset += _STEP
        return generator

    def copy(self) -> State:
        return Counter(self._seed, self._offset)


class Stream:
    """A generator where the data live, on the CPU as a rule: its numbers are those of the CPU."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def where(self) -> tuple[int, int]:
        now = self._generator.get_state()
        seed = self._generator.initial_seed()
        name = _digest(now)
        with _lock:
            place = _begun.get(name)
            if place is None:
                fresh = Generator(self._generator.device).manual_seed(seed).get_state()
                at_start = torch.equal(now, fresh)
                place = seed, 0 if at_start else int.from_bytes(name, "little") & _OFFSET
            _keep(_snapshots, place, now)
        return place

    def go(self, seed: int, offset: int, snapshot: Tensor | None = None) -> None:
        place = seed & _WORD, offset
        if offset == 0:
            self._generator.manual_seed(seed)
            return
        with _lock:
            known = _snapshots.get(place)
            if known is None and snapshot is not None and _named(snapshot, offset):
                known = snapshot
            if known is not None:
                self._generator.set_state(known)
                return
            self._generator.manual_seed(_draw_seed(*place))
            _keep(_begun, _digest(self._generator.get_state()), place)

    def snapshot(self) -> Tensor | None:
        return self._generator.get_state()

    def lend(self, gpu: int) -> Generator:  # noqa: ARG002 - one stream serves all GPUs
        return self._generator

    def copy(self) -> State:
        generator = Generator(self._generator.device)
        generator.set_state(self._generator.get_state())
        return Stream(generator)


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Remember the latest `KEPT`."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT:
        kept.popitem(last=False)


def _draw_seed(seed: int, offset: int) -> int:
    """The seed of one op's numbers, 32 bits as the CPU's generator heeds.

    Offsets of one seed give different ones: all steps can be undone.
    """
    return _mix((_mix(seed & 0xFFFFFFFF) ^ _mix(seed >> 32 & 0xFFFFFFFF)) + offset // _STEP)


def _mix(word: int) -> int:
    """Spread 32 bits (the last steps of MurmurHash3, by Appleby)."""
    word &= 0xFFFFFFFF
    word = (word ^ word >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    word = (word ^ word >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return word ^ word >> 16


def _digest(state: Tensor) -> bytes:
    return hashlib.blake2b(state.numpy().tobytes(), digest_size=8).digest()


def _named(snapshot: Tensor, offset: int) -> bool:
    return int.from_bytes(_digest(snapshot), "little") & _OFFSET == offset
