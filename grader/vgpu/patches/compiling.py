"""torch.compile runs what it is given eagerly, with numbers unchanged.

What records ops in order to run them elsewhere, torch.export and torch.func.linearize, is refused.

Compiled code would be for a device that is not there. The module that comes back has the class,
the `_orig_mod` and the names in its state that a compiled one has on CUDA.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import _pytree as pytree

from grader.vgpu.tensor import VirtualTensor

_from_tensor: Any = FakeTensorMode.from_tensor
_EXPORTS = ("export", "export_for_training", "draft_export")
_EXPORT_ELSEWHERE = "export the model on the CPU, and move what its module() answers to a GPU"
_USE_JVP = "torch.func.jvp computes the same"


def install() -> None:
    setattr(torch, "compile", compile_eagerly)  # noqa: B010 - overloaded
    for name in _EXPORTS:
        if hasattr(torch.export, name):
            setattr(torch.export, name, _refusing(f"torch.export.{name}", _EXPORT_ELSEWHERE))
    setattr(torch.func, "linearize", _refusing("torch.func.linearize", _USE_JVP))  # noqa: B010
    setattr(FakeTensorMode, "from_tensor", _fake)  # noqa: B010


def compile_eagerly(
    model: Callable[..., Any] | None = None,
    *,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    **others: Any,
) -> Any:
    """torch.compile: what comes back computes as `model` does, op by op.

    Raises torch's own errors for a backend that it does not know, and for `mode` beside `options`.
    """
    if model is None:
        return functools.partial(
            compile_eagerly, backend=backend, mode=mode, options=options, disable=disable, **others
        )
    if mode is not None and options is not None:
        raise RuntimeError(
            "Either mode or options can be specified, but both can't be specified at the same time."
        )
    if disable:
        return model
    _check_backend(backend)
    if isinstance(model, nn.Module):
        return _optimized(model)
    return _wrapped(model)


def _check_backend(backend: Any) -> None:
    if not isinstance(backend, str) or backend == "inductor":
        return
    import torch._dynamo

    if backend not in torch._dynamo.list_backends(exclude_tags=()):
        raise torch._dynamo.exc.InvalidBackend(name=backend)


def _wrapped(function: Any) -> Callable[..., Any]:
    if not callable(function):
        words = f"A callable function is expected, but {type(function)} is provided."
        raise AssertionError(words)  # noqa: TRY004 - torch's own

    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return functools.update_wrapper(run, function)


def _optimized(module: nn.Module) -> nn.Module:
    optimized: nn.Module = _optimized_module()(module, None)
    return optimized


@functools.cache
def _optimized_module() -> Any:
    """The class of a compiled module, without the compiler; made late, dynamo is slow to import."""
    from torch._dynamo.eval_frame import OptimizedModule

    class Eager(OptimizedModule):
        def _initialize(self) -> None:
            self.forward = self._orig_mod.__call__

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return self.forward(*args, **kwargs)  # the module's own hooks run there

        def __reduce__(self) -> Any:
            return compile_eagerly, (self._orig_mod,)

    Eager.__name__ = Eager.__qualname__ = OptimizedModule.__name__
    Eager.__module__ = OptimizedModule.__module__
    return Eager


def _refusing(name: str, instead: str) -> Callable[..., Any]:
    """The function of this name, for everything but tensors of virtual GPUs."""
    package, _, short = name.rpartition(".")
    function = getattr(operator.attrgetter(package.partition(".")[2])(torch), short)

    @functools.wraps(function)
    def refuse(recorded: Any, *args: Any, **kwargs: Any) -> Any:
        held = pytree.tree_leaves((args, kwargs))
        if isinstance(recorded, nn.Module):
            held += [*recorded.parameters(), *recorded.buffers()]
        if any(isinstance(value, VirtualTensor) for value in held):
            raise NotImplementedError(f"virtual GPUs do not have {name}: {instead}")
        return function(recorded, *args, **kwargs)

    return refuse


def _fake(self: FakeTensorMode, tensor: torch.Tensor, **kwargs: Any) -> Any:
    """A tensor without data, to trace with: autograd in C++ would abort on one of a GPU."""
    if type(tensor) is VirtualTensor:
        raise NotImplementedError(
            "virtual GPUs do not have fake tensors (FakeTensorMode): trace on the CPU"
        )
    return _from_tensor(self, tensor, **kwargs)
