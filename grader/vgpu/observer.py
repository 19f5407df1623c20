"""The same trace from real GPUs: nothing is virtual, ops are only watched as they pass.

A dispatch mode sees every op of this thread, and of autograd's threads, which inherit it. All it
asks of a tensor is its device, so it works on virtual GPUs as well; a test holds it to the trace
that those write themselves. Other threads that a script starts are not seen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from grader.errors import UsageError
from grader.trace import HOST
from grader.vgpu import devices, layers, recorder

_to, _cuda, _cpu = Tensor.to, Tensor.cuda, Tensor.cpu
_backward = torch.autograd.backward
_number = torch.ops.aten._local_scalar_dense.default
_device_count = torch.cuda.device_count
_max_memory, _reset_peak = torch.cuda.max_memory_allocated, torch.cuda.reset_peak_memory_stats


class Sink(Protocol):
    """Where an observer writes; `recorder` is one."""

    def op(self, name: str, gpu: int) -> None: ...

    def transfer(self, source: int, target: int, size: int, *, non_blocking: bool) -> None: ...


class Observer(TorchDispatchMode):  # type: ignore[no-untyped-call] # torch's is untyped
    """Writes down which device ran each op, and what was copied from one to another."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._sink = sink

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Keep torch from wrapping us: the wrapper imports dynamo, half a second per process."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        copy = _COPIES.get(func._schema.name)
        result = func(*args, **kwargs)
        if copy is None:
            self._ran(func._schema.name, args, result)
        else:
            source, target, moved = copy(args, result)
            self._copied(func._schema.name, source, target, moved, kwargs)
        return result

    def _ran(self, name: str, args: Sequence[Any], result: Any) -> None:
        gpu = _first_gpu(args)
        if gpu == HOST:
            gpu = _first_gpu(result if isinstance(result, (list, tuple)) else (result,))
        if gpu != HOST or recorder.here.where is not recorder.NOWHERE:
            self._sink.op(name, gpu)

    def _copied(
        self, name: str, source: int, target: int, moved: Tensor, kwargs: dict[str, Any]
    ) -> None:
        if source != target:
            size = moved.numel() * moved.element_size()
            non_blocking = bool(kwargs.get("non_blocking"))
            self._sink.transfer(source, target, size, non_blocking=non_blocking)
        elif source != HOST:
            self._sink.op(name, source)


def _gpu(tensor: Any) -> int:
    device = tensor.device
    return device.index if device.type == "cuda" else HOST


def _first_gpu(values: Sequence[Any]) -> int:
    for value in values:
        if isinstance(value, Tensor) and value.device.type == "cuda":
            return int(value.device.index)
        if isinstance(value, (list, tuple)) and (found := _first_gpu(value)) != HOST:
            return found
    return HOST


#: Source, target and what moved, for the ops that copy.
_COPIES: dict[str, Callable[[Any, Any], tuple[int, int, Tensor]]] = {
    "aten::_to_copy": lambda args, result: (_gpu(args[0]), _gpu(result), args[0]),
    "aten::copy_": lambda args, _: (_gpu(args[1]), _gpu(args[0]), args[1]),
    "aten::_local_scalar_dense": lambda args, _: (_gpu(args[0]), HOST, args[0]),
}


# ---------------------------------------------------------------------- a process that is observed


def enough(count: int) -> bool:
    """Whether this machine has that many real GPUs."""
    return _device_count() >= count


def install(count: int) -> None:
    """Watch this process on its first `count` real GPUs; UsageError if there are fewer."""
    if not enough(count):
        raise UsageError(
            "real GPUs (--devices cuda)",
            expected=f"{count}",
            found=str(_device_count()),
            do="ask for fewer (-n), or for virtual ones (--devices virtual)",
        )
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(count))))
    devices.observe(count)
    for name, function in (("to", _to), ("cuda", _cuda), ("cpu", _cpu)):
        setattr(Tensor, name, _counted(function))
    setattr(torch.autograd, "backward", _noting_losses)  # noqa: B010
    layers.install(watch_host=False)
    Observer(recorder).__enter__()  # type: ignore[no-untyped-call]


def peak_memory(count: int) -> list[int]:
    """Bytes by GPU, from CUDA's own allocator."""
    return [_max_memory(gpu) for gpu in range(count)]


def reset(count: int) -> None:
    for gpu in range(count):
        _reset_peak(gpu)


def _counted(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def move(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        recorder.to_call()
        return function(self, *args, **kwargs)

    return move


def _noting_losses(tensors: Any, *args: Any, **kwargs: Any) -> None:
    loss = tensors[0] if isinstance(tensors, (list, tuple)) and tensors else tensors
    if not recorder.in_backward() and isinstance(loss, Tensor) and loss.numel() == 1:
        with torch.utils._python_dispatch._disable_current_modes():
            recorder.loss(float(loss.detach()))
    _backward(tensors, *args, **kwargs)
