"""Parts of torch.distributed that few scripts import, and slowly: changed when they are.

DTensor and what stands on it are refused by name; pipelines do without warming up.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any, Never

from grader.vgpu import dispatch, layers


def install() -> None:
    dispatch.register("_c10d_functional::*")(_functional)
    sys.meta_path.insert(0, _Finder)
    for name, change in _CHANGES.items():
        if name in sys.modules:
            change(sys.modules[name])


def _functional(func: Any, args: Any, kwargs: Any) -> Never:
    raise NotImplementedError(
        f"virtual GPUs do not have functional collectives ({func._schema.name}), on which DTensor "
        "and FSDP2 stand"
    )


class _Finder:
    """Finds the modules below as Python does, to be changed once they are loaded."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in _CHANGES else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(name, spec.origin)
        return spec


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        _CHANGES[module.__name__](module)


def _change_tensor(module: Any) -> None:
    module.DTensor.__new__ = _refusing("DTensor")
    for name in ("distribute_tensor", "distribute_module"):
        setattr(module, name, _refusing(name))


def _change_fully_shard(module: Any) -> None:
    module.fully_shard = _refusing("fully_shard")


def _change_stage(module: Any) -> None:
    """NCCL's first messages between stages; gloo is connected (torch 2.9 sends it wrong sizes)."""
    module._PipelineStageBase._get_init_p2p_neighbors_ops = lambda _stage: []


def _change_pipe(module: Any) -> None:
    """Tracing a model into stages."""
    trace = module.Pipe._trace_with_export

    def trace_with_export(*args: Any, **kwargs: Any) -> Any:
        with layers.not_followed():
            return trace(*args, **kwargs)

    module.Pipe._trace_with_export = staticmethod(trace_with_export)


def _refusing(name: str) -> Any:
    def refuse(*_: Any, **__: Any) -> Never:
        raise NotImplementedError(
            f"virtual GPUs do not have {name}: DTensor, and with it tensor parallelism and FSDP2 "
            "(fully_shard), needs real GPUs; DistributedDataParallel and pipelining work"
        )

    return refuse


_CHANGES: dict[str, Callable[[Any], None]] = {
    "torch.distributed.tensor._api": _change_tensor,
    "torch.distributed.fsdp._fully_shard._fully_shard": _change_fully_shard,
    "torch.distributed.pipelining.stage": _change_stage,
    "torch.distributed.pipelining._IR": _change_pipe,
}
