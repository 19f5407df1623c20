"""The virtual tensor: a tensor that says it is on cuda:i, around one that holds the numbers."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

from grader.trace import HOST
from grader.vgpu import devices
from grader.vgpu.backends.meta import no_data
from grader.vgpu.explain import note
from grader.vgpu.memory import Block

_base: Any = torch._C.TensorBase
_make: Any = Tensor._make_wrapper_subclass
_carriers = devices.carriers()
_STRIDED = torch.strided
_set_conj: Any = torch._C._set_conj
_set_neg: Any = torch._C._set_neg
#: Autocast is looked up by device type; without this key it would not see these tensors.
CAST = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCUDA)

#: What torch prints behind the device.
_AFTER_DEVICE = re.compile(r",\s+(?:size=\(|dtype=torch)|\)$")


class VirtualTensor(Tensor):
    """A tensor on a virtual GPU.

    `_inner` holds the numbers and leaves this package by `numbers` only, `_gpu` is the number of
    the GPU, `_block` the memory that all tensors on one storage share. Nothing but `dispatch` and
    the few functions here looks inside.
    """

    _inner: Tensor
    _gpu: int
    _block: Block

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def __torch_dispatch__(  # type: ignore[override] # static: torch's own binds it for each call
        func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """`dispatch` puts its own in this place."""
        raise AssertionError("grader.vgpu.dispatch is not imported yet")

    # ------------------------------------------------------------------ where it is

    @property
    def device(self) -> torch.device:  # type: ignore[override] # torch's stub says attribute
        return devices.shown(self._gpu)

    is_cuda = property(lambda self: self._gpu != HOST)
    is_cpu = property(lambda self: self._gpu == HOST)

    def get_device(self) -> int:
        return self._gpu

    def type(self, dtype: Any = None, non_blocking: bool = False, **_: Any) -> Any:
        if dtype is None:
            kind = _kind(self._inner)
            return kind if self._gpu == HOST else kind.replace("torch.", "torch.cuda.")
        if isinstance(dtype, str):
            *home, name = dtype.split(".")
            kind = getattr(torch, name).dtype
            return self.to(kind) if "cuda" in home else self.to("cpu", kind)
        if getattr(dtype, "is_cuda", True):
            return self.to(getattr(dtype, "dtype", dtype), non_blocking=non_blocking)
        return self.to("cpu", dtype.dtype, non_blocking=non_blocking)

    # ------------------------------------------------------------------ what it holds

    def numpy(self, *, force: bool = False) -> Any:
        if self._gpu == HOST:
            raise no_data("the numbers of a tensor")
        if force:
            return self.detach().cpu().resolve_conj().resolve_neg().numpy()
        if self.requires_grad:
            raise note(
                RuntimeError(
                    "Can't call numpy() on Tensor that requires grad. "
                    "Use tensor.detach().numpy() instead."
                )
            )
        raise note(
            TypeError(
                f"can't convert {self.device} device type tensor to numpy. "
                "Use Tensor.cpu() to copy the tensor to host memory first."
            )
        )

    def __array__(self, dtype: Any = None, **_: Any) -> NoReturn:
        self.numpy()
        raise AssertionError("numpy() always raises here")

    def tolist(self) -> Any:
        if self._gpu == HOST:
            raise no_data("the numbers of a tensor")
        return self.detach().cpu().tolist()

    def data_ptr(self) -> int:
        return self._inner.data_ptr()

    def untyped_storage(self) -> torch.UntypedStorage:
        return self._inner.untyped_storage()

    def new_tensor(  # type: ignore[override] # torch's stub lets dtype be positional, C++ does not
        self, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
    ) -> Tensor:
        if dtype is None and not isinstance(data, Tensor):
            dtype = self.dtype
        return torch.tensor(
            data,
            dtype=dtype,
            device=self.device if device is None else device,
            requires_grad=requires_grad,
        )

    def is_shared(self) -> bool:
        return True

    def share_memory_(self) -> VirtualTensor:
        return self

    def record_stream(self, stream: Any) -> None:
        """Nothing to do: memory is given back when its last op is done, on any stream."""

    # ------------------------------------------------------------------ how it prints

    def __repr__(self, *, tensor_contents: Any = None) -> str:  # type: ignore[override] # untyped there
        with torch.no_grad(), _disable_current_modes():
            text = torch._tensor_str._str(  # type: ignore[no-untyped-call]
                self._inner.detach(), tensor_contents=tensor_contents
            )
        text = text.replace("device='meta', ", "")  # dry mode
        text = _AFTER_DEVICE.sub(f", device='{self.device}'\\g<0>", text, count=1)
        if self.grad_fn is not None:
            text = f"{text[:-1]}, grad_fn=<{self.grad_fn.name().split('::')[-1]}>)"
        elif self.requires_grad:
            text = f"{text[:-1]}, requires_grad=True)"
        return f"Parameter containing:\n{text}" if is_parameter(self) else text

    def __format__(self, spec: str) -> str:
        if self.dim() == 0:
            return self.item().__format__(spec)
        return object.__format__(self, spec)

    # ------------------------------------------------------------------ how it is copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
                "protocol at the moment.  If you were attempting to deepcopy a module, this may be "
                "because of a torch.nn.utils.weight_norm usage, see "
                "https://github.com/pytorch/pytorch/pull/103001"
            )
        with torch.no_grad():
            copy: Tensor = self.clone()
        if is_parameter(self):
            copy = torch.nn.Parameter(copy, self.requires_grad)
        else:
            copy.requires_grad_(self.requires_grad)
        memo[id(self)] = copy
        if self.grad is not None:
            copy.grad = self.grad.__deepcopy__(memo)  # type: ignore[no-untyped-call]
        return copy

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle as the CUDA tensor it stands for; `serialization` reads the mark back."""
        if self._inner.is_meta:
            raise no_data("the numbers of a tensor")
        hooks: OrderedDict[str, Any] = OrderedDict()
        if is_parameter(self):
            return torch._utils._rebuild_parameter, (self.detach(), self.requires_grad, hooks)
        inner = self._inner
        bare = inner.untyped_storage()
        bare._gpu = self._gpu  # type: ignore[attr-defined]
        bare._block = self._block  # type: ignore[attr-defined]
        storage = torch.storage.TypedStorage(  # type: ignore[no-untyped-call]
            wrap_storage=bare, dtype=inner.dtype, _internal=True
        )
        where = (inner.storage_offset(), tuple(inner.size()), inner.stride())
        state = (storage, *where, self.requires_grad, hooks)
        return torch._utils._rebuild_tensor_v2, state


# What a student prints with type(x); the class is found here under its own name all the same.
VirtualTensor.__module__, VirtualTensor.__qualname__ = "torch", "Tensor"
VirtualTensor.__name__ = "Tensor"


def wrap(
    inner: Tensor,
    gpu: int,
    block: Block | None = None,
    requires_grad: bool = False,
    keys: Any = CAST,
) -> VirtualTensor:
    """Put `inner` on a GPU, on memory of its own unless told which it shares."""
    if inner.layout is not _STRIDED or inner.is_quantized or inner.is_nested:
        raise _not_here(inner)
    virtual: VirtualTensor = _make(  # by position, which is a third quicker than by name
        VirtualTensor,
        inner.shape,
        inner.stride(),
        inner.storage_offset(),
        None,  # memory_format
        inner.dtype,
        _STRIDED,
        _carriers[gpu],
        False,  # pin_memory
        requires_grad,
        None,  # dispatch_sizes_strides_policy
        False,  # dispatch_device
        False,  # dispatch_layout
        keys,
    )
    virtual._inner = inner
    virtual._gpu = gpu
    if block is None:
        virtual._block = Block(gpu, inner.untyped_storage().nbytes())
        return virtual
    virtual._block = block
    mark(virtual)  # of computed ones, only linear algebra's need it
    return virtual


def mark(virtual: VirtualTensor) -> None:
    """Let it say of itself that it is conjugated or negated, as its inner tensor does."""
    if virtual._inner.is_conj():
        _set_conj(virtual, True)
    if virtual._inner.is_neg():
        _set_neg(virtual, True)


def _not_here(inner: Tensor) -> NotImplementedError:
    if inner.is_quantized:
        kind = f"quantized tensors ({inner.dtype}): keep this one on the CPU, or dequantize() it"
    elif inner.is_nested:
        kind = "nested tensors: move its parts, or to_padded_tensor() of it"
    elif inner.layout is torch._mkldnn:  # type: ignore[attr-defined] # missing from torch's stubs
        kind = "MKL-DNN tensors: keep this one on the CPU, or move to_dense() of it"
    else:
        kind = (
            f"sparse tensors ({inner.layout}): keep this one on the CPU, or move to_dense() of it"
        )
    return NotImplementedError(f"virtual GPUs do not have {kind}")


def _kind(inner: Tensor) -> str:
    """What a tensor of this dtype is called on the CPU: "torch.FloatTensor"."""
    if not inner.is_meta:
        return inner.type().replace(".cuda.", ".")
    return torch.empty(0, dtype=inner.dtype).type()


def as_marked(outer: VirtualTensor) -> Tensor:
    """The inner tensor, conjugated and negated as the outer one says it is.

    Torch writes into a lazily conjugated tensor by taking the mark away, from the outer one only,
    and giving it back afterwards.
    """
    inner = outer._inner
    if outer.is_conj() != inner.is_conj():
        inner = torch.conj(inner)
    if outer.is_neg() != inner.is_neg():
        inner = torch._neg_view(inner)
    return inner


def numbers(tensor: Tensor) -> Tensor:
    """What a tensor holds, to be looked at from outside: no device does anything for it."""
    return as_marked(tensor).detach() if type(tensor) is VirtualTensor else tensor.detach()


def reshape_outer(outer: VirtualTensor) -> None:
    """After an op changed the shape of the inner tensor, show the new one."""
    inner = outer._inner
    needed = inner.untyped_storage().nbytes()
    if needed > outer._block.size:
        outer._block = Block(outer._gpu, needed)
    fresh = wrap(inner, outer._gpu, outer._block, outer.requires_grad)
    _base.data.__set__(outer, fresh)


def is_parameter(tensor: Tensor) -> bool:
    return bool(getattr(tensor, "_is_param", False))
