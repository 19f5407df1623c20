"""nn.Linear as one op forward and one backward, where the CPU makes ten of it.

torch has a derivative of `linear` for devices that bring a kernel of their own, and the carrier is
made one of them. Half of all ops of a chain of layers go away. The numbers are those of the CPU's
own path, bit for bit: the same products, with their operands in the same order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.utils.flop_counter import register_flop_formula

from grader.trace import HOST
from grader.vgpu import devices, mixing, recorder
from grader.vgpu.arguments import Found, unpack
from grader.vgpu.dispatch import execute, register, watcher
from grader.vgpu.patches.build import Library
from grader.vgpu.tensor import VirtualTensor, wrap

_aten = torch.ops.aten
_libraries: list[Any] = []
_enter_dual_level: Any = forward_ad.enter_dual_level
_exit_dual_level: Any = forward_ad.exit_dual_level


def install() -> None:
    if _libraries:  # before this process was forked
        return
    _put_in()
    _count_flops()
    setattr(forward_ad, "enter_dual_level", _enter)  # noqa: B010
    setattr(forward_ad, "exit_dual_level", _exit)  # noqa: B010


def _put_in() -> None:
    library = Library("aten", "IMPL")
    library.impl("linear", _kernel, devices.CARRIER.capitalize())
    _libraries.append(library)


def _count_flops() -> None:
    """FlopCounterMode has formulas for the parts of `linear`: the same for the whole."""

    @register_flop_formula(_aten.linear)
    def forward(x: Any, weight: Any, *_: Any, **__: Any) -> int:
        return int(2 * math.prod(x) * math.prod(weight[:-1]))

    @register_flop_formula(_aten.linear_backward)
    def backward(x: Any, _: Any, weight: Any, wanted: Any, **__: Any) -> int:
        return int(2 * math.prod(x) * math.prod(weight[:-1]) * sum(wanted[:2]))


def _kernel(*args: Any) -> Any:
    return execute(_aten.linear.default, (), args)


def _enter() -> Any:
    """Forward-mode derivatives know the parts of `linear` only: until they end it is those."""
    while _libraries:
        _libraries.pop()._destroy()
    return _enter_dual_level()


def _exit(*, level: int | None = None) -> None:
    _exit_dual_level(level=level)
    if forward_ad._current_level < 0 and not _libraries:
        _put_in()


# ---------------------------------------------------------------------- forward


@register("aten::linear")
def _forward(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    args = (*args, *kwargs.values())
    found = Found()
    x, weight, *rest = unpack(args, found)
    bias = rest[0] if rest else None
    if found.spread:
        _check(args)
    recorder.op("aten::linear", found.gpu)
    if _folds(x, args[1]):
        y = _run(_aten.mm.default, x.reshape(-1, x.shape[-1]), weight.t())
        y = y.view(*x.shape[:-1], weight.shape[0])
        y = y if bias is None else y.add_(bias)
    else:
        y = _run(func, x, weight, bias)
    _watched(func, found.gpu, (x, weight, bias), y)
    return wrap(y, found.gpu)


def _folds(x: Tensor, weight: VirtualTensor) -> bool:
    """Matmul makes rows of a batch that is not contiguous if the weight asks for a gradient.

    The inner weight never does, so this has to be said.
    """
    return x.dim() > 2 and not x.is_contiguous() and weight.requires_grad and weight.dim() == 2


def _check(args: Sequence[Any]) -> None:
    """CUDA has no kernel for `linear`; the one that it ends in complains."""
    x, weight, *rest = args
    if rest and rest[0] is not None:
        mixing.check(_aten.addmm.default, (rest[0], x, weight), {})
    mixing.check(_aten.mm.default if weight.dim() > 1 else _aten.mv.default, (x, weight), {})


# ---------------------------------------------------------------------- backward


@register("aten::linear_backward")
def _backward(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    found = Found()
    x, grad, weight, wanted = unpack(args, found)
    if found.mixed:
        mixing.check(_aten.mm.default, (args[1], args[2]), {})
    recorder.op("aten::linear_backward", found.gpu)
    gradients = _gradients if weight.dim() == 2 else _gradients_of_vector
    grads = gradients(x, grad, weight, wanted)
    _watched(func, found.gpu, (x, grad, weight, wanted), grads)
    return tuple(None if g is None else wrap(g, found.gpu) for g in grads)


def _gradients(
    x: Tensor, grad: Tensor, weight: Tensor, wanted: Sequence[bool]
) -> list[Tensor | None]:
    """Of input, weight and bias, as autograd has them of addmm and mm."""
    rows = x.reshape(-1, x.shape[-1])
    flat = grad.reshape(-1, weight.shape[0])
    of_x = of_weight = of_bias = None
    if wanted[0]:
        if _is_transposed(rows):
            of_rows = _run(_aten.mm.default, weight.t().conj(), flat.t()).t()
        else:
            of_rows = _run(_aten.mm.default, flat, weight.conj())
        of_x = of_rows.view(x.shape) if x.dim() != 2 else of_rows
    if wanted[1]:
        if _is_transposed(weight.t()):
            of_weight = _run(_aten.mm.default, flat.t(), rows.conj())
        else:
            of_weight = _run(_aten.mm.default, rows.t().conj(), flat).t()
    if wanted[2]:
        over = [0] if x.is_contiguous() else list(range(grad.dim() - 1))
        source = flat if x.is_contiguous() else grad
        of_bias = _run(_aten.sum.dim_IntList, source, over, True).view(-1)
    return [of_x, of_weight, of_bias]


def _is_transposed(matrix: Tensor) -> bool:
    return matrix.stride(0) == 1 and matrix.stride(1) == matrix.shape[0]


def _gradients_of_vector(
    x: Tensor, grad: Tensor, weight: Tensor, wanted: Sequence[bool]
) -> list[Tensor | None]:
    """The same where the weight is a vector, and so every row makes one number."""
    rows, flat = x.reshape(-1, x.shape[-1]), grad.reshape(-1)
    of_x = _run(_aten.ger.default, flat, weight.conj()).view(x.shape) if wanted[0] else None
    of_weight = _run(_aten.mv.default, rows.t().conj(), flat) if wanted[1] else None
    return [of_x, of_weight, grad.sum() if wanted[2] else None]


# ---------------------------------------------------------------------- on inner tensors

_kernels: dict[int, Callable[..., Any]] = {}


def _run(op: Any, *args: Any) -> Any:
    kernel = _kernels.get(id(op))
    if kernel is None:
        kernel = _kernels[id(op)] = devices.backend().kernel(op)
    return kernel(*args)


def _watched(func: Any, gpu: int, args: Sequence[Any], result: Any) -> None:
    watch = watcher()
    if watch is not None and gpu != HOST:
        watch(func, gpu, args, {}, result)
