"""Methods that plain tensors and virtual ones share: moving, `.data`, pinning, backward."""

import functools
from typing import Any

import torch
from torch import Tensor, nn
from torch._library import simple_registry
from torch.optim.optimizer import _foreach_supported_types
from torch.utils._python_dispatch import _disable_current_modes

from grader.vgpu import devices, recorder
from grader.vgpu.devices import to_carrier
from grader.vgpu.dispatch import execute
from grader.vgpu.explain import note
from grader.vgpu.tensor import VirtualTensor, wrap
from grader.vgpu.wording import cuda_words

_base: Any = torch._C.TensorBase
_to = Tensor.to
_to_copy = torch.ops.aten._to_copy.default
_cpu = Tensor.cpu
_parse_to: Any = torch._C._nn._parse_to
_compatible = torch._has_compatible_shallow_copy_type
_backward = torch.autograd.backward
_scale = torch.amp.GradScaler.scale
_find_rule = simple_registry.find_torch_dispatch_rule


def install() -> None:
    data = _Attribute(_base.data.__get__, set_data)
    grad = _Attribute(_base.grad.__get__, set_grad, _base.grad.__delete__)
    _put(Tensor, to=to, cuda=cuda, cpu=cpu, pin_memory=pin_memory, is_pinned=is_pinned)
    _put(Tensor, data=data, grad=grad, device=_Attribute(device), is_cuda=_Attribute(is_cuda))
    _put(torch, _has_compatible_shallow_copy_type=compatible)
    _put(torch._C, _group_tensors_by_device_and_dtype=group)
    _put(torch._C._nn, _parse_to=parse_to)
    _put(torch.autograd, backward=backward)
    _put(torch.amp.GradScaler, scale=scale)
    _foreach_supported_types.append(VirtualTensor)  # lists by default, as on CUDA
    _put(simple_registry, find_torch_dispatch_rule=find_rule)


class _Attribute(property):
    """A property in place of one of torch's own, which know their class; dynamo asks for it."""

    __objclass__ = Tensor


def _put(where: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        setattr(where, name, value)


# ---------------------------------------------------------------------- where it is


def device(self: Tensor) -> torch.device:
    """Of plain tensors, and of what torch.func wraps around virtual ones."""
    where: torch.device = _base.device.__get__(self)
    return devices.shown(where.index) if where.type == devices.CARRIER else where


def is_cuda(self: Tensor) -> bool:
    return bool(_base.device.__get__(self).type in ("cuda", devices.CARRIER))


# ---------------------------------------------------------------------- moving


def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    recorder.to_call()
    return _move(self, *_first_translated(args, kwargs), **kwargs)


def _move(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """Tensor.to; torch's own path from the host to the carrier would lose the strides."""
    graph = self.requires_grad and torch.is_grad_enabled()
    if not graph and type(self) in (Tensor, nn.Parameter):
        device, dtype, non_blocking, memory_format = _parse_to(*args, **kwargs)
        if device is not None and device.type == devices.CARRIER:
            options = {"device": device, "dtype": dtype, "memory_format": memory_format}
            options["non_blocking"] = non_blocking
            watched = torch._C._len_torch_dispatch_stack() > 0
            moved: Tensor = (
                _to_copy(self, **options) if watched else execute(_to_copy, (), (self,), options)
            )
            return moved
    return _to(self, *args, **kwargs)


def cuda(
    self: Tensor,
    device: Any = None,
    non_blocking: bool = False,
    memory_format: torch.memory_format = torch.preserve_format,
) -> Tensor:
    recorder.to_call()
    target = devices.carrier(devices.index_of(device))
    return _move(self, target, non_blocking=non_blocking, memory_format=memory_format)


def cpu(self: Tensor, memory_format: torch.memory_format = torch.preserve_format) -> Tensor:
    recorder.to_call()
    return _cpu(self, memory_format=memory_format)


def parse_to(*args: Any, **kwargs: Any) -> Any:
    """What nn.Module.to reads its arguments with."""
    return _parse_to(*_first_translated(args, kwargs), **kwargs)


def _first_translated(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """A device is the first argument, or the keyword `device`, which is changed in place."""
    if args:
        return (to_carrier(args[0]), *args[1:])
    if "device" in kwargs:
        kwargs["device"] = to_carrier(kwargs["device"])
    return args


# ---------------------------------------------------------------------- .data


def set_data(self: Tensor, new: Tensor) -> None:
    """Give a tensor other data, on another device if need be; it stays the same object.

    nn.Module.to works this way, so that optimizers and weak references keep their parameter.
    """
    if type(self) is VirtualTensor and type(new) is VirtualTensor:
        _base.data.__set__(self, new)
        self._inner, self._gpu, self._block = new._inner, new._gpu, new._block
    elif type(self) is VirtualTensor or type(new) is VirtualTensor:
        _become(self, new.detach())
    else:
        _base.data.__set__(self, new)


def _become(self: Tensor, other: Tensor) -> None:
    """Turn a plain tensor into a virtual one or back; it keeps its gradient, which moves along."""
    if isinstance(self, nn.Parameter):
        other = nn.Parameter(other, self.requires_grad)
    else:
        other.requires_grad_(self.requires_grad)
    grad, self.grad = self.grad, None
    _swap(self, other)
    if other.requires_grad:  # now the old self: a graph that is alive still leads to it
        other.register_hook(  # type: ignore[no-untyped-call]
            functools.partial(_came_too_late, other.device, self.device)
        )
    if type(grad) is VirtualTensor:
        self.grad = grad._inner.clone()
    elif grad is not None:
        self.grad = wrap(grad.detach().clone(), self.get_device())


def _came_too_late(before: torch.device, now: torch.device, grad: Tensor) -> None:  # noqa: ARG001
    """backward() of a forward pass from before a module moved.

    CUDA multiplies a gradient with the moved parameter here, or leaves it where the optimizer
    stumbles over it: these words either way.
    """
    raise note(
        RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{now} and {before}!"
        ),
        detail=f"A module moved from {before} to {now} between its forward pass and this "
        "backward pass. Fix: move first, then run it.",
    )


def set_grad(self: Tensor, grad: Tensor | None) -> None:
    try:
        _base.grad.__set__(self, grad)
    except (RuntimeError, TypeError) as error:
        cuda_words(error)
        raise


def _swap(a: Tensor, b: Tensor) -> None:
    """Each becomes what the other is; whoever holds `a`, weakly too, keeps holding it."""
    torch._C._swap_tensor_impl(a, b)
    a.__class__, b.__class__ = b.__class__, a.__class__
    first, second = dict(a.__dict__), dict(b.__dict__)
    a.__dict__.clear()
    a.__dict__.update(second)
    b.__dict__.clear()
    b.__dict__.update(first)


def compatible(input: Tensor, from_: Tensor) -> bool:  # noqa: A002
    """Whether `input.data = from_` is allowed.

    torch compares this signature, names and types, with one of its own.
    """
    if type(input) is VirtualTensor or type(from_) is VirtualTensor:
        return True
    return bool(_compatible(input, from_))


# ---------------------------------------------------------------------- pinned memory


def pin_memory(self: Tensor, device: Any = None) -> Tensor:  # noqa: ARG001 - torch's signature
    """Host memory is host memory here, but a copy that says it is pinned is asked for."""
    if type(self) is VirtualTensor:
        raise RuntimeError(f"cannot pin '{self.type()}' only dense CPU tensors can be pinned")
    devices.initialize()
    if getattr(self, "_pinned", False):
        return self
    copy = self.clone()
    copy._pinned = True  # type: ignore[attr-defined]
    return copy


def is_pinned(self: Tensor, device: Any = None) -> bool:  # noqa: ARG001
    return bool(getattr(self, "_pinned", False))


# ---------------------------------------------------------------------- autograd and optimizers


def backward(tensors: Any, *args: Any, **kwargs: Any) -> None:
    """torch.autograd.backward, which notes the loss it starts from."""
    if not recorder.in_backward():
        _note_loss(tensors)
    try:
        _backward(tensors, *args, **kwargs)
    except RuntimeError as error:
        cuda_words(error)
        raise


def scale(self: torch.amp.GradScaler, outputs: Any) -> Any:
    """GradScaler.scale, whose result remembers the loss it was made of."""
    scaled = _scale(self, outputs)
    if isinstance(outputs, Tensor) and scaled is not outputs:
        scaled._unscaled = outputs
    return scaled


def _note_loss(tensors: Any) -> None:
    loss = tensors[0] if isinstance(tensors, (list, tuple)) and tensors else tensors
    loss = getattr(loss, "_unscaled", loss)
    inner = loss._inner if type(loss) is VirtualTensor else loss
    if type(inner) is Tensor and inner.numel() == 1 and inner.is_floating_point():
        with _disable_current_modes():
            recorder.loss(float(devices.backend().number(inner.detach())))


@torch.no_grad()
def group(tensor_lists: Any, with_indices: bool = False) -> dict[Any, Any]:  # noqa: ARG001
    """Lists of tensors (parameters, gradients, ...) by device and dtype, with positions.

    torch's own works in C++, where all these tensors have the carrier's device.
    """
    groups: dict[Any, tuple[list[list[Any]], list[int]]] = {}
    length = len(tensor_lists[0])
    for position in range(length):
        first = tensor_lists[0][position]
        key = (first.device, first.dtype)
        lists, positions = groups.setdefault(key, ([[] for _ in tensor_lists], []))
        for source, target in zip(tensor_lists, lists, strict=True):
            if source:
                target.append(source[position])
        positions.append(position)
    return groups


# ---------------------------------------------------------------------- dispatch


def find_rule(op: Any, kind: type) -> Any:
    """Torch asks this before every op of a tensor subclass; ours has no rules but `dispatch`."""
    return None if kind is VirtualTensor else _find_rule(op, kind)
