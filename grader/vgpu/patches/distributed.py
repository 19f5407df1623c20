"""torch.distributed on virtual GPUs: what a script sends through NCCL goes through gloo.

A process group that asks for "nccl" gets one: a gloo back end under that name, registered for CUDA
only, so that get_backend() and torch's own checks answer as on a machine with GPUs. Collectives
on virtual tensors run on the numbers inside, through a twin of the group that knows the same
back end as the one for their home.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Never
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch import distributed as dist

from grader.trace import HOST
from grader.vgpu import devices, dispatch, ranks, recorder
from grader.vgpu.arguments import tensors_in
from grader.vgpu.tensor import VirtualTensor

#: How long NCCL waits for the other ranks, unless told.
_TIMEOUT = timedelta(minutes=10)
#: What torch.cuda.nccl.version() answers on a build that has none.
_VERSION = (2, 27, 5)
_POINT_TO_POINT = ("c10d::send", "c10d::recv_", "c10d::recv_any_source_")

#: Methods of ProcessGroup that reduce; the first argument is written.
_REDUCTIONS = (
    *("allreduce", "reduce", "reduce_scatter", "_reduce_scatter_base", "reduce_scatter_single"),
    "allreduce_coalesced",
)

#: Methods of ProcessGroup that take tensors of the host, too, by a back end such as gloo.
_ON_HOST = (
    *("allreduce", "allreduce_coalesced", "broadcast", "reduce", "allgather", "_allgather_base"),
    *("gather", "scatter", "reduce_scatter", "_reduce_scatter_base", "alltoall", "alltoall_base"),
    "barrier",
)

#: What was begun in each group whose operations are being coalesced.
_open: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()
#: torch's stub leaves out half of it.
_c10d: Any = getattr(torch._C, "_distributed_c10d", None)
#: The twin of each process group.
_twins: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def install() -> None:
    if not dist.is_available() or not dist.is_gloo_available():
        return
    _serve_nccl()
    dispatch.register("c10d::*")(_collective)
    # DDP's times of its own steps know CPUs and real GPUs, and warn of any other device.
    logger: Any = vars(dist)["Logger"]
    logger.set_runtime_stats_and_log = lambda _logger: None
    vars(torch._C)["_get_accelerator"] = _accelerator
    setattr(dist.ProcessGroup, "_start_coalescing", _start_coalescing)  # noqa: B010 - as the next
    setattr(dist.ProcessGroup, "_end_coalescing", _end_coalescing)  # noqa: B010
    for name in _REDUCTIONS:
        if hasattr(dist.ProcessGroup, name):
            setattr(dist.ProcessGroup, name, _averaging(getattr(dist.ProcessGroup, name)))
    for name in _ON_HOST:
        if hasattr(dist.ProcessGroup, name):
            setattr(dist.ProcessGroup, name, _noted(getattr(dist.ProcessGroup, name), name))
    setattr(dist.Work, "wait", _throwing(dist.Work.wait))  # noqa: B010


# ---------------------------------------------------------------------- NCCL, by name


class NcclOptions:
    """ProcessGroupNCCL.Options: what a script or torch may set on it."""

    def __init__(self, is_high_priority_stream: bool = False) -> None:
        self.is_high_priority_stream = is_high_priority_stream
        self._timeout = _TIMEOUT
        self.global_ranks_in_group: list[int] = []
        self.group_name = ""
        self.split_from: Any = None
        self.split_color = 0


def _serve_nccl() -> None:
    """Make torch believe that it was built with NCCL."""
    from torch.cuda import nccl
    from torch.distributed import distributed_c10d as c10d

    class ProcessGroupNCCL(dist.ProcessGroupGloo):
        """gloo, answering to the name of NCCL."""

        Options = NcclOptions  # type: ignore[assignment]

        def __init__(self, store: Any, rank: int, size: int, options: NcclOptions) -> None:
            super().__init__(store, rank, size, timeout=options._timeout)

    def create(options: Any, _: Any) -> ProcessGroupNCCL:
        asked = NcclOptions()
        asked._timeout = options.timeout
        return ProcessGroupNCCL(options.store, options.group_rank, options.group_size, asked)

    update = c10d._update_default_pg

    def update_default_pg(group: Any) -> None:
        update(group)
        if group is not None:
            ranks.joined(dist.get_rank(), dist.get_world_size())

    vars(c10d).update(
        ProcessGroupNCCL=ProcessGroupNCCL,
        _NCCL_AVAILABLE=True,
        default_pg_nccl_timeout=_TIMEOUT,
        _update_default_pg=update_default_pg,
    )
    vars(dist)["ProcessGroupNCCL"] = ProcessGroupNCCL
    if hasattr(c10d.Backend, "_ensure_backend_registered"):  # torch 2.15 creates all by plugin
        c10d.Backend._plugins["NCCL"] = c10d.Backend._BackendPlugin(create, True)
    vars(c10d)["split_group"] = vars(dist)["split_group"] = _split_group
    if not hasattr(torch._C, "_nccl_version"):
        vars(nccl)["version"] = lambda: _VERSION


def _split_group(*_: Any, **__: Any) -> Never:
    raise NotImplementedError(
        "virtual GPUs do not have torch.distributed.split_group, which gloo cannot do; "
        "new_group makes the same groups"
    )


def _accelerator(check: bool | None = None) -> torch.device:  # noqa: ARG001
    return devices.Device("cuda") if devices.count() else devices.Device("cpu")


# ---------------------------------------------------------------------- collectives


def _collective(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Run one operation of c10d, which writes into the tensors it is given."""
    name = func._schema.name
    rest = [argument.name for argument in func._schema.arguments[len(args) :]]
    values = [*args, *(kwargs[key] for key in rest if key in kwargs)]
    tensors = list(tensors_in(values))
    gpu = _common_gpu(tensors)
    group = next(dist.ProcessGroup.unbox(value) for value in values if _is_group(value))
    _record(name, values, gpu, group)
    inner = _inner(values, _twin(group).boxed())
    if name == "c10d::reduce_" and group.rank() != values[3]:
        inner[0] = [tensor.clone() for tensor in inner[0]]  # gloo would leave partial sums there
    result = _BY_OTHERS.get(name, func)(*inner)
    if name in _POINT_TO_POINT:
        return result
    outer = dict(zip(map(id, tensors_in(inner)), tensors, strict=True))
    return _outer(result, outer, _open.get(group))


def _all_to_all(outputs: list[Tensor], inputs: list[Tensor], twin: Any, *options: Any) -> Any:
    """Lists of tensors of any sizes, which gloo exchanges in one tensor only."""
    source = torch.cat([tensor.reshape(-1) for tensor in inputs])
    target = source.new_empty(sum(tensor.numel() for tensor in outputs))
    sizes = [[tensor.numel() for tensor in tensors] for tensors in (outputs, inputs)]
    work = torch.ops.c10d.alltoall_base_(target, source, twin, *sizes, *options)

    def hand_out(_: Any) -> list[Tensor]:
        for tensor, part in zip(outputs, target.split(sizes[0]), strict=True):  # type: ignore[no-untyped-call]
            tensor.copy_(part.view_as(tensor))
        return outputs

    return outputs, _then(dist.Work.unbox(work), hand_out).boxed()


def _reduce_scatter(output: Any, inputs: Any, twin: Any, *options: Any) -> Any:
    """One tensor, or a list for each rank; gloo's own Work for these has no future."""
    target: Tensor = output[0] if isinstance(output, list) else output
    parts = inputs[0] if isinstance(output, list) else inputs.chunk(_size(twin))
    summed = torch.cat([part.reshape(-1) for part in parts])
    reduction, *rest = options
    _, work = torch.ops.c10d.allreduce_([summed], twin, reduction, None, *rest)

    def take_part(_: Any) -> Any:
        mine = summed.split([part.numel() for part in parts])[_rank(twin)]  # type: ignore[no-untyped-call]
        target.copy_(mine.view_as(target))
        return [target]

    return output, _then(dist.Work.unbox(work), take_part).boxed()


def _gather_into(output: Tensor, source: Tensor, twin: Any, *options: Any) -> Any:
    """NCCL takes any shape of the right size, gloo one alone."""
    flat = output.view(-1)
    _, work = torch.ops.c10d._allgather_base_(flat, source.reshape(-1), twin, *options)
    return output, _then(dist.Work.unbox(work), lambda _: [output]).boxed()


def _each(collective: Callable[..., Any]) -> Callable[..., Any]:
    """Several at once."""

    def run(outputs: list[Tensor], inputs: list[Tensor], *rest: Any) -> Any:
        pairs = zip(outputs, inputs, strict=True)
        works = [dist.Work.unbox(collective(*pair, *rest)[1]) for pair in pairs]
        return _all_of([work.get_future() for work in works]).boxed()

    return run


def _rank(twin: Any) -> int:
    return int(dist.ProcessGroup.unbox(twin).rank())


def _size(twin: Any) -> int:
    return int(dist.ProcessGroup.unbox(twin).size())


#: What gloo lacks, made of what it has.
_BY_OTHERS = {
    "c10d::alltoall_": _all_to_all,
    "c10d::_allgather_base_": _gather_into,
    "c10d::allgather_into_tensor_coalesced_": _each(_gather_into),
    "c10d::reduce_scatter_": _reduce_scatter,
    "c10d::reduce_scatter_tensor_coalesced_": _each(_reduce_scatter),
    "c10d::_reduce_scatter_base_": _reduce_scatter,
}


def _is_group(value: Any) -> bool:
    return isinstance(value, torch.ScriptObject) and "ProcessGroup" in str(value._type())


def _common_gpu(tensors: list[Tensor]) -> int:
    """The GPU of all these tensors, or what NCCL says of others."""
    if any(type(tensor) is not VirtualTensor for tensor in tensors):
        raise ValueError("Tensors must be CUDA and dense")
    gpus = {tensor.get_device() for tensor in tensors}
    if len(gpus) > 1:
        raise ValueError("Expected list of tensors on the same device")
    return gpus.pop()


def _twin(group: Any) -> Any:
    """A group with the same back end, registered for the devices that hold the numbers."""
    twin = _twins.get(group)
    if twin is None:
        backend = group._get_backend(torch.device("cuda"))
        twin = dist.ProcessGroup(_c10d.HashStore(), group.rank(), group.size())
        for home in ("cpu", "cuda"):
            kind = dist.ProcessGroup.BackendType.GLOO
            twin._register_backend(torch.device(home), kind, backend)
        _twins[group] = twin
    return twin


def _inner(value: Any, twin: Any) -> Any:
    if type(value) is VirtualTensor:
        return value._inner
    if isinstance(value, (list, tuple)):
        return [_inner(item, twin) for item in value]
    return twin if _is_group(value) else value


def _outer(result: Any, outer: dict[int, Tensor], opened: list[Any] | None) -> Any:
    """A result with virtual tensors, also where a Work will hand them out later."""
    if isinstance(result, Tensor):
        return outer.get(id(result), result)
    if isinstance(result, (list, tuple)):
        return type(result)([_outer(item, outer, opened) for item in result])
    if not isinstance(result, torch.ScriptObject):
        return result
    work = _then(dist.Work.unbox(result), lambda tensors: _outer(tensors, outer, None))
    if opened is not None:
        opened.append(work.get_future())
    return work.boxed()


def _then(work: Any, step: Callable[[Any], Any]) -> Any:
    """A Work that does `step` with the other's result as soon as that is done."""
    future = work.get_future().then(lambda done: step(done.value()))
    return _work(future)


def _all_of(futures: list[Any]) -> Any:
    return _work(torch.futures.collect_all(futures))


def _work(future: Any) -> Any:
    work: Any = _c10d._create_work_from_future(future)
    return work


def _record(name: str, values: list[Any], gpu: int, group: Any) -> None:
    size = _bytes(values[:1])
    known = name in ("c10d::send", "c10d::recv_")
    peer = dist.get_global_rank(group, values[2]) if known else None
    recorder.op(name, gpu)
    recorder.message(_plain(name), gpu, peer, size, _members(group))


def _plain(name: str) -> str:
    return name.removeprefix("c10d::").strip("_").removesuffix("_base")


def _bytes(values: Sequence[Any]) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors_in(values))


def _members(group: Any) -> tuple[int, ...] | None:
    """The ranks of a group that is not all of them."""
    if group.size() == dist.get_world_size():
        return None
    return tuple(dist.get_process_group_ranks(group))


def _noted(collective: Callable[..., Any], name: str) -> Callable[..., Any]:
    """A collective that is noted where its tensors are the host's: no op tells of them."""

    @functools.wraps(collective)
    def run(group: Any, *args: Any, **kwargs: Any) -> Any:
        values = [*args, *kwargs.values()]
        tensors = list(tensors_in(values))
        device = next((x.device for x in values if isinstance(x, dist.BarrierOptions)), None)
        if tensors or (device is not None and device.type == "cpu"):
            if not any(type(tensor) is VirtualTensor for tensor in tensors):
                recorder.message(_plain(name), HOST, None, _bytes(values[:1]), _members(group))
        return collective(group, *args, **kwargs)

    return run


def _throwing(wait: Callable[..., Any]) -> Callable[..., Any]:
    """Work.wait() that says what went wrong: that of a Work made from a future says nothing."""

    @functools.wraps(wait)
    def waited(work: Any, *args: Any, **kwargs: Any) -> Any:
        done = wait(work, *args, **kwargs)
        try:
            future = work.get_future()
        except RuntimeError:  # it has none, and has said it
            return done
        if future.done():
            future.value()
        return done

    return waited


def _start_coalescing(group: Any, device: Any) -> None:  # noqa: ARG001 - torch's signature
    _open[group] = []


def _end_coalescing(group: Any, device: Any) -> Any:  # noqa: ARG001
    """One Work for all that was begun meanwhile."""
    return _all_of(_open.pop(group))


# ---------------------------------------------------------------------- averages


def _averaging(reduce: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction of ProcessGroup that also knows AVG, which NCCL has and gloo has not."""

    @functools.wraps(reduce)
    def run(group: Any, tensors: Any, *args: Any, **kwargs: Any) -> Any:
        options = next((x for x in (*args, *kwargs.values()) if hasattr(x, "reduceOp")), None)
        written: Any = [tensors] if isinstance(tensors, Tensor) else tensors
        virtual = all(type(tensor) is VirtualTensor for tensor in written)
        if options is None or options.reduceOp != dist.ReduceOp.AVG or not virtual:
            return reduce(group, tensors, *args, **kwargs)
        options.reduceOp = dist.ReduceOp.SUM
        work = reduce(group, tensors, *args, **kwargs)
        if getattr(options, "rootRank", group.rank()) != group.rank():
            return work
        return _then(work, lambda result: _divide(written, group.size(), result))

    return run


def _divide(tensors: list[VirtualTensor], count: int, result: Any) -> Any:
    for tensor in tensors:
        rounding = None if tensor.is_floating_point() or tensor.is_complex() else "trunc"
        tensor._inner.div_(count, rounding_mode=rounding)
    return result
