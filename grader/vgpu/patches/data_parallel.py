"""nn.DataParallel: copies between GPUs that torch makes in C++, and replicas in threads.

The functions are those of torch._C that torch.nn.parallel.comm stands on, with the copies that
torch/csrc/cuda/comm.cpp makes: tensors to broadcast travel in buffers, one copy for each buffer
and GPU.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch._utils import _flatten_dense_tensors, _take_tensors, _unflatten_dense_tensors

from grader.vgpu import devices, layers
from grader.vgpu.patches import streams

_HOST_INDEX = -1


def install() -> None:
    from torch.cuda import nccl
    from torch.nn.parallel import _functions, parallel_apply, replicate

    vars(torch._C).update(
        _broadcast=_broadcast,
        _broadcast_out=_broadcast_out,
        _broadcast_coalesced=_broadcast_coalesced,
        _scatter=_scatter,
        _scatter_out=_scatter_out,
        _gather=_gather,
        _gather_out=_gather_out,
        _accelerator_exchangeDevice=devices.set_current,
        _accelerator_maybeExchangeDevice=devices.set_current,
    )
    vars(nccl)["is_available"] = lambda _tensors: False  # sums are then made by plain copies
    vars(_functions)["_get_stream"] = streams.Stream
    _put_everywhere(replicate, _named(replicate))
    _put_everywhere(parallel_apply, _inside(parallel_apply))


def _put_everywhere(old: Any, new: Any) -> None:
    """Modules of torch.nn.parallel import one another's functions by name."""
    for module in modules():
        vars(module).update({key: new for key, value in vars(module).items() if value is old})


@functools.cache
def modules() -> list[ModuleType]:
    """Those of torch.nn.parallel."""
    return [m for name, m in list(sys.modules.items()) if name.startswith("torch.nn.parallel")]


# ---------------------------------------------------------------------- copies


def _broadcast(tensor: Tensor, gpus: Sequence[int]) -> list[Tensor]:
    """The tensor itself where it is, a copy on every other GPU."""
    return [tensor if _is_on(tensor, gpu) else _copy(tensor, gpu) for gpu in gpus]


def _broadcast_out(tensor: Tensor, out: Sequence[Tensor]) -> list[Tensor]:
    for target in out:
        target.copy_(tensor, non_blocking=True)
    return list(out)


def _broadcast_coalesced(
    tensors: Sequence[Tensor], gpus: Sequence[int], buffer_size: int
) -> list[list[Tensor]]:
    """For each GPU all tensors, in order; they travel in flat buffers of one dtype each."""
    if not all(_is_on(tensor, gpus[0]) for tensor in tensors):
        raise RuntimeError("all tensors must be on devices[0]: " + str(gpus[0]))
    copies: list[dict[int, Tensor]] = [{} for _ in gpus[1:]]
    positions = {id(tensor): position for position, tensor in enumerate(tensors)}
    for chunk in _take_tensors(tensors, buffer_size):  # type: ignore[no-untyped-call]
        flat = _flatten_dense_tensors(chunk)  # type: ignore[no-untyped-call]
        for gpu, found in zip(gpus[1:], copies, strict=True):
            parts = _unflatten_dense_tensors(_copy(flat, gpu), chunk)  # type: ignore[no-untyped-call]
            found.update(zip((positions[id(t)] for t in chunk), parts, strict=True))
    return [list(tensors), *([found[i] for i in range(len(tensors))] for found in copies)]


def _scatter(
    tensor: Tensor,
    gpus: Sequence[int],
    chunk_sizes: Sequence[int] | None,
    dim: int,
    background: Sequence[Any] | None,
) -> tuple[Tensor, ...]:
    """Chunks of `chunk_sizes`, or as equal as torch.chunk makes them, one for each GPU."""
    if chunk_sizes is None:
        chunks = tensor.chunk(len(gpus), dim)
    else:
        chunks = tensor.split_with_sizes(list(chunk_sizes), dim)
    queues = background if background is not None else [None] * len(gpus)
    moved = []
    for chunk, gpu, queue in zip(chunks, gpus, queues, strict=False):
        with contextlib.nullcontext() if queue is None else streams.stream(queue):
            moved.append(chunk if _is_on(chunk, gpu) else _copy(chunk, gpu))
    return tuple(moved)


def _scatter_out(
    tensor: Tensor, out: Sequence[Tensor], dim: int, background: Sequence[Any] | None
) -> tuple[Tensor, ...]:
    sizes = [target.size(dim) for target in out]
    if sum(sizes) != tensor.size(dim):
        raise RuntimeError(
            f"Total size for output tensors along scatter dim {dim} does not match the source "
            f"tensor size at dim {dim}. Expected total size {tensor.size(dim)}, but got total "
            f"size {sum(sizes)}"
        )
    queues = background if background is not None else [None] * len(out)
    for chunk, target, queue in zip(tensor.split(sizes, dim), out, queues, strict=True):  # type: ignore[no-untyped-call]
        with contextlib.nullcontext() if queue is None else streams.stream(queue):
            target.copy_(chunk, non_blocking=True)
    return tuple(out)


def _gather(tensors: Sequence[Tensor], dim: int, target: int | None) -> Tensor:
    """All tensors, one after the other along `dim`, on a GPU; -1 is the host."""
    first = tensors[0]
    size = list(first.size())
    size[dim] = sum(tensor.size(dim) for tensor in tensors)
    index = devices.current() if target is None else target
    home = devices.Device("cpu") if index == _HOST_INDEX else devices.carrier(index)
    return _gather_out(tensors, torch.empty(size, dtype=first.dtype, device=home), dim)


def _gather_out(tensors: Sequence[Tensor], out: Tensor, dim: int) -> Tensor:
    sizes = [tensor.size(dim) for tensor in tensors]
    for tensor, part in zip(tensors, out.split_with_sizes(sizes, dim), strict=True):
        part.copy_(tensor, non_blocking=True)
    return out


def _is_on(tensor: Tensor, gpu: int) -> bool:
    return tensor.is_cuda and tensor.get_device() == gpu


def _copy(tensor: Tensor, gpu: int) -> Tensor:
    return tensor.to(devices.carrier(gpu), non_blocking=True)


# ---------------------------------------------------------------------- replicas


def _named(replicate: Callable[..., Any]) -> Callable[..., Any]:
    """Torch's replicate, whose copies are called in the trace what the modules are called."""

    @functools.wraps(replicate)
    def run(network: nn.Module, *args: Any, **kwargs: Any) -> Any:
        replicas = replicate(network, *args, **kwargs)
        for replica in replicas:
            layers.call_alike(replica, network)
        return replicas

    return run


def _inside(parallel_apply: Callable[..., Any]) -> Callable[..., Any]:
    """Torch's parallel_apply, whose threads belong to the forward pass that starts them."""

    @functools.wraps(parallel_apply)
    def run(modules: Sequence[nn.Module], *args: Any, **kwargs: Any) -> Any:
        outside = layers.position()
        return parallel_apply([_continuing(m, outside) for m in modules], *args, **kwargs)

    return run


def _continuing(module: nn.Module, outside: Any) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        with layers.continuing(outside):
            return module(*args, **kwargs)

    return call
