"""Generators and seeds of GPUs: torch.Generator(device="cuda:1"), torch.cuda.manual_seed and kin.

`settings.generators` decides what GPUs draw from. "shared": one stream of numbers for the CPU and
all GPUs, so a seeded script sees the numbers that it sees on the CPU, bit for bit; seeding or
setting the state of one device is felt on all. "per-device": a counter per GPU, as CUDA has; equal
seeds give equal numbers on any GPU, and drawing on one moves no other. In both a state is 16 bytes,
and getting, setting and forking replay (`random_states` says how).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, cuda

from grader.trace import HOST
from grader.vgpu import devices, dispatch
from grader.vgpu.arguments import Found, unpack
from grader.vgpu.count import MOST
from grader.vgpu.random_states import Counter, Generator, State, Stream

_STATE = struct.Struct("<Qq")
#: What CUDA's generators are seeded with before anybody seeds them.
_UNSEEDED = 67280421310721


#: By address in C++, which hands an op the same generator as another Python object.
_living: WeakValueDictionary[int, GpuGenerator] = WeakValueDictionary()


class _GeneratorType(type):
    """Makes a class that stands for torch.Generator: the same instances, and GPUs' ones too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Generator)

    def __call__(cls, device: Any = "cpu") -> Any:
        gpu = devices.place(device)
        if gpu is None or gpu == HOST:
            return Generator(device)
        return GpuGenerator(gpu, _new_state(gpu))


class _GeneratorFace(metaclass=_GeneratorType):
    """torch.Generator, for virtual GPUs too."""


_GeneratorFace.__module__, _GeneratorFace.__qualname__ = "torch", "Generator"
_GeneratorFace.__name__ = "Generator"


class GpuGenerator(Generator):
    """A generator of one GPU. To C++ it is an unused one of the CPU; `_state` has the numbers."""

    _cdata: int  # torch's, which its stub leaves out
    _gpu: int
    _state: State

    def __new__(cls, gpu: int, state: State) -> GpuGenerator:
        generator = super().__new__(cls, "cpu")  # type: ignore[call-arg] # torch's stub has __init__
        generator._gpu = gpu
        generator._state = state
        _living[generator._cdata] = generator
        return generator

    def __init__(self, gpu: int, state: State) -> None:
        """`__new__` has done it all; torch's own would read the arguments as its."""

    @property
    def device(self) -> torch.device:  # type: ignore[override] # torch's stub says attribute
        return devices.shown(self._gpu)

    def manual_seed(self, seed: int) -> GpuGenerator:
        self._state.go(int(seed), 0)
        return self

    def seed(self) -> int:
        seed = Generator().seed()
        self._state.go(seed, 0)
        return seed

    def initial_seed(self) -> int:
        return self._state.where()[0]

    def get_offset(self) -> int:
        return self._state.where()[1]

    def set_offset(self, offset: int) -> GpuGenerator:
        if offset < 0 or offset % 4:
            raise RuntimeError("offset must be a multiple of 4")
        self._state.go(self.initial_seed(), offset)
        return self

    def get_state(self) -> Tensor:
        """16 bytes, uint8, on the CPU."""
        named = torch.frombuffer(bytearray(_STATE.pack(*self._state.where())), dtype=torch.uint8)
        snapshot = self._state.snapshot()
        return named if snapshot is None else torch.cat([named, snapshot])[: _STATE.size]

    def set_state(self, new_state: Tensor) -> GpuGenerator:
        self._state.go(*_read(new_state))
        return self

    def clone_state(self) -> GpuGenerator:
        return GpuGenerator(self._gpu, self._state.copy())

    def graphsafe_get_state(self) -> GpuGenerator:
        """Another generator on the same state: what one draws moves both."""
        return GpuGenerator(self._gpu, self._state)

    def graphsafe_set_state(self, new_state: Generator) -> GpuGenerator:
        self._state = _owner(new_state)._state
        return self

    def __reduce__(self) -> Any:
        inside = (self.initial_seed(), self.get_offset(), self.get_state())
        return _GeneratorFace, (self.device,), inside

    def __setstate__(self, inside: tuple[int, int | None, Tensor]) -> None:
        self.set_state(inside[2])


def _read(state: Tensor) -> tuple[int, int, Tensor | None]:
    """Seed, offset and the snapshot behind them; CUDA's words for what is no state."""
    if not isinstance(state, Tensor):
        raise TypeError(f"expected a torch.ByteTensor, but got {type(state).__name__}")
    if state.device.type != "cpu" or state.dtype != torch.uint8:
        raise TypeError("RNG state must be a torch.ByteTensor")
    if state.numel() not in (_STATE.size, _STATE.size // 2):
        raise RuntimeError("RNG state is wrong size")
    data = state.detach().contiguous().numpy().tobytes()
    seed, offset = _STATE.unpack(data.ljust(_STATE.size, b"\0"))
    if offset % 4:
        raise RuntimeError("offset must be a multiple of 4")
    return seed, offset, _behind(state)


def _behind(state: Tensor) -> Tensor | None:
    """The snapshot that `get_state` left in the storage of its answer."""
    whole = torch.empty(0, dtype=torch.uint8).set_(state.untyped_storage())
    if state.storage_offset() or whole.numel() == state.numel():
        return None
    return whole[_STATE.size :].clone()


# ---------------------------------------------------------------------- the generators of the GPUs


class _Choice:
    """What `settings.generators` said, and what real GPUs draw from if data live there."""

    per_device = False
    real: Sequence[Generator] = ()


_choice = _Choice()
_counters = [Counter(_UNSEEDED) for _ in range(MOST)]


def configure(generators: str) -> None:
    """What `settings.generators` is; before any use."""
    _choice.per_device = generators == "per-device"


def _new_state(gpu: int) -> State:
    if _choice.per_device:
        return Counter(_UNSEEDED)
    return Stream(Generator(_everyones(gpu).device).manual_seed(_UNSEEDED))


def _state_of(gpu: int) -> State:
    return _counters[gpu] if _choice.per_device else Stream(_everyones(gpu))


def _everyones(gpu: int) -> Generator:
    """What torch draws from where the data of this GPU live."""
    device = devices.backend().device(gpu)
    return _choice.real[device.index] if device.type == "cuda" else torch.default_generator


class _Defaults(Sequence[GpuGenerator]):
    """torch.cuda.default_generators: as long as there are GPUs."""

    def __len__(self) -> int:
        return devices.count()

    def __getitem__(self, gpu: Any) -> Any:
        if isinstance(gpu, slice):
            return tuple(self)[gpu]
        if not -len(self) <= gpu < len(self):
            raise IndexError("tuple index out of range")
        gpu = devices.index_of(gpu % len(self))
        return GpuGenerator(gpu, _state_of(gpu))

    def __iter__(self) -> Iterator[GpuGenerator]:
        return (self[gpu] for gpu in range(len(self)))

    def __repr__(self) -> str:
        return repr(tuple(self))


default_generators = _Defaults()


def default(device: Any = None) -> GpuGenerator:
    gpu = devices.index_of(device)
    return GpuGenerator(gpu, _state_of(gpu))


# ---------------------------------------------------------------------- torch.cuda


def manual_seed(seed: int) -> None:
    """Before first use too; ignored where there are no GPUs."""
    if not _choice.per_device:
        manual_seed_all(seed)
    elif devices.count():
        _state_of(_current()).go(int(seed), 0)


def manual_seed_all(seed: int) -> None:
    for gpu in range(devices.count()):
        _state_of(gpu).go(int(seed), 0)


def seed() -> None:
    manual_seed(Generator().seed())


def seed_all() -> None:
    manual_seed_all(Generator().seed())


def _current() -> int:
    """The current GPU, without a first use of CUDA."""
    return devices.current() if devices.is_initialized() else 0


def initial_seed() -> int:
    return default().initial_seed()


def get_rng_state(device: Any = "cuda") -> Tensor:
    return default(device).get_state()


def get_rng_state_all() -> list[Tensor]:
    return [get_rng_state(gpu) for gpu in range(devices.count())]


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    default(device).set_state(new_state)


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    for gpu, state in enumerate(new_states):
        set_rng_state(state, gpu)


_TORCH_CUDA = (
    *(manual_seed, manual_seed_all, seed, seed_all, initial_seed),
    *(get_rng_state, get_rng_state_all, set_rng_state, set_rng_state_all),
)


# ---------------------------------------------------------------------- ops that draw


def _drawing(func: Any, handler: dispatch.Handler) -> dispatch.Handler:
    """The handler of an op of random numbers, with what its GPU draws from."""
    names = [argument.name for argument in func._schema.arguments]
    if "generator" not in names:
        return _by_default(handler) if _choice.per_device else handler
    position = names.index("generator")

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        listed = position < len(args)
        given = args[position] if listed else kwargs.get("generator")
        if given is None and not _choice.per_device:
            return handler(func, args, kwargs)
        gpu = _drawn_on(args, kwargs)
        if gpu == HOST:
            return handler(func, args, kwargs)
        state = _state_of(gpu) if given is None else _owner(given)._state
        lent = None if devices.is_dry() else state.lend(gpu)
        if listed:
            return handler(func, (*args[:position], lent, *args[position + 1 :]), kwargs)
        return handler(func, args, {**kwargs, "generator": lent})

    return run


def _owner(given: Any) -> GpuGenerator:
    """The GPU's generator that an op was given."""
    owner = _living.get(given._cdata)
    if owner is None:
        raise RuntimeError(_wrong_type("cuda", given))
    return owner


def _by_default(handler: dispatch.Handler) -> dispatch.Handler:
    """An op that takes no generator draws from the CPU's own, which the GPU's replaces for it."""

    def run(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        gpu = _drawn_on(args, kwargs)
        if gpu == HOST or devices.is_dry():
            return handler(func, args, kwargs)
        everyones = _everyones(gpu)
        before = everyones.get_state()
        everyones.set_state(_state_of(gpu).lend(gpu).get_state())
        try:
            return handler(func, args, kwargs)
        finally:
            everyones.set_state(before)

    return run


def _drawn_on(args: Sequence[Any], kwargs: dict[str, Any]) -> int:
    """The GPU of the numbers; `HOST` where they are not drawn on a GPU."""
    device = kwargs.get("device")
    if device is not None:
        gpu = devices.place(device)
        return HOST if gpu is None else gpu
    found = Found()
    unpack((*args, kwargs.get("out")), found)
    return found.gpu


def _wrong_type(expected: str, found: Generator) -> str:
    return f"Expected a '{expected}' device type for generator but found '{found.device.type}'"


def check_home(args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """CUDA's error where a new tensor of the host is to be filled from a GPU's generator."""
    generator, device = kwargs["generator"], kwargs.get("device")
    if not isinstance(generator, GpuGenerator) or any(isinstance(x, Tensor) for x in args):
        return
    home = torch.device(torch.get_default_device() if device is None else device)
    if home.type == "cpu":
        raise RuntimeError(_wrong_type("cpu", generator))


def install() -> None:
    """Replace torch.Generator and torch.cuda's functions, and stand around ops that draw."""
    _choice.real = cuda.default_generators
    dispatch.around_random(_drawing)
    setattr(torch, "Generator", _GeneratorFace)  # noqa: B010 - it is a type to mypy
    setattr(cuda, "default_generators", default_generators)  # noqa: B010 - a tuple to mypy
    for function in _TORCH_CUDA:
        for module in (cuda, cuda.random):
            setattr(module, function.__name__, function)
