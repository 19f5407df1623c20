"""What CUDA says when the tensors of one op are on different devices.

Most CUDA kernels stand behind a check that torch generates from its list of native functions,
which every build of torch carries along: the kernel's name and whether it is checked at all are
read there, for the version that is installed. Kernels that do without are built on the
element-wise iterator, which speaks for them. The few ops with words of their own are below.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

Named = list[tuple[str, Tensor]]

_SAME = "Expected all tensors to be on the same device, but "
_LIST = "packaged/ATen/native/native_functions.yaml"
_SERVES_CUDA = re.compile(r"^\s+[\w, ]*\bCUDA\b[\w, ]*:", re.MULTILINE)

#: Ops that CUDA serves with the kernel of another: (its name, {our argument: the kernel's, in the
#: kernel's order}).
_SERVED_BY: dict[str, tuple[str, dict[str, str]]] = {
    "embedding": ("_index_select", {"weight": "self", "indices": "index"}),
    "_native_batch_norm_legit": ("_native_batch_norm", {}),
    "_native_batch_norm_legit_no_training": ("_native_batch_norm", {}),
    "mv": ("addmv_", {"vec": "self", "self": "mat"}),
    "stack": ("cat", {}),
}
_BATCH_NORMS = frozenset(
    ("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training")
)


class Call:
    """One op with its arguments by name, and all tensors among them: results come first."""

    def __init__(self, func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
        self.func = func
        arguments = func._schema.arguments
        self.written = frozenset(
            a.name for a in arguments if a.alias_info is not None and a.alias_info.is_write
        )
        names = [a.name for a in arguments]
        self.given = dict(zip(names, args, strict=False)) | kwargs
        outputs = {a.name for a in arguments if a.kwarg_only} & self.written
        self.tensors: Named = [
            (name, item)
            for name in sorted(self.given, key=lambda name: name not in outputs)
            for item in _flat(self.given[name])
            if isinstance(item, Tensor)
        ]

    def named(self, name: str) -> Tensor:
        tensor: Tensor = self.given[name]
        return tensor


def _flat(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else (value,)


Rule = Callable[[Call], RuntimeError | None]


def check(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> None:
    """Raise what CUDA raises for this call, whose tensors are on several devices.

    Some ops take tensors of the CPU along: single numbers, or indices.
    """
    error = _rule(func)(Call(func, args, kwargs))
    try:
        if error is not None:
            raise error
    finally:
        del error  # or its frames would hold it, and it their tensors, until gc runs


@functools.cache
def _rule(func: Any) -> Rule:
    """Who looks at the devices of this op's tensors."""
    space, _, short = func._schema.name.partition("::")
    if space != "aten":
        return _elementwise
    if short in _OWN_WORDS:
        return _OWN_WORDS[short]
    if short.startswith(("_foreach", "_fused", "_amp")):
        return _lists
    if short in _SERVED_BY or _kernel(func) is not None:
        return _checked
    return _elementwise


# ---------------------------------------------------------------------- torch's own list


@functools.cache
def _native_functions() -> str:
    """Torch's list of native functions; empty where a build left it out."""
    package = importlib.util.find_spec("torchgen")
    folders = (package.submodule_search_locations if package else None) or []
    files = [Path(folder) / _LIST for folder in folders]
    return next((file.read_text("utf-8") for file in files if file.is_file()), "")


def _kernel(func: Any) -> str | None:
    """The name of the checked CUDA kernel behind an op; None where nothing is checked."""
    schema = func._schema
    short, overload = schema.name.partition("::")[2], schema.overload_name
    entry = _entry(f"{short}.{overload}" if overload else short)
    structured = "structured: True" in entry or "structured_delegate:" in entry
    if "device_check: NoCheck" in entry or not (structured or _SERVES_CUDA.search(entry)):
        return None
    if any(a.kwarg_only and a.alias_info is not None for a in schema.arguments):
        short += "_out"
    if structured:
        return f"{short}_{overload}" if overload else short
    return f"{overload}_{short}"


def _entry(name: str) -> str:
    functions = _native_functions()
    start = functions.find(f"\n- func: {name}(")
    return functions[start : functions.find("\n- func: ", start + 1)] if start >= 0 else ""


# ---------------------------------------------------------------------- checked kernels


def _checked(call: Call) -> RuntimeError | None:
    """The first tensor says where the others should be, single numbers included."""
    short = call.func._schema.name.partition("::")[2]
    kernel, renamed = _SERVED_BY.get(short, ("", {}))
    if short in _BATCH_NORMS and call.tensors[0][1].dim() > 2:
        kernel = "_cudnn_batch_norm"
    order = list(renamed)
    tensors = [(n, t) for n, t in call.tensors if n in renamed] if renamed else call.tensors
    tensors.sort(key=lambda named: order.index(named[0]) if renamed else 0)
    return _other_device(tensors, kernel or _kernel(call.func) or short, renamed)


def _other_device(tensors: Named, kernel: str, renamed: dict[str, str]) -> RuntimeError | None:
    common = tensors[0][1].device
    odd = next(((name, t) for name, t in tensors if t.device != common), None)
    if odd is None:
        return None
    name, tensor = odd
    return RuntimeError(
        f"{_SAME}got {renamed.get(name, name)} is on {tensor.device}, different from other "
        f"tensors on {common} (when checking argument in method wrapper_CUDA_{kernel})"
    )


# ---------------------------------------------------------------------- element-wise kernels


def _elementwise(call: Call) -> RuntimeError | None:
    """The iterator works where the first GPU tensor is, and reads single numbers from the CPU."""
    return _found_two([(tensor, name in call.written) for name, tensor in call.tensors])


def _found_two(tensors: Sequence[tuple[Tensor, bool]]) -> RuntimeError | None:
    """The tensors of one iterator, each with whether it is written."""
    common = next(t.device for t, _ in tensors if t.is_cuda)
    for tensor, written in tensors:
        number = tensor.dim() == 0 and not tensor.is_cuda and not written
        if tensor.device != common and not number:
            return RuntimeError(f"{_SAME}found at least two devices, {common} and {tensor.device}!")
    return None


def _lists(call: Call) -> RuntimeError | None:
    """Lists of tensors, one op per position: each position has a device of its own."""
    columns: dict[str, list[Tensor]] = {}
    for name, tensor in call.tensors:
        columns.setdefault(name, []).append(tensor)
    lists = {n: c for n, c in columns.items() if isinstance(call.given[n], (list, tuple))}
    for position in range(max(map(len, lists.values()), default=0)):
        row = [(c[position], n in call.written) for n, c in lists.items() if position < len(c)]
        if any(tensor.is_cuda for tensor, _ in row) and (error := _found_two(row)):
            return error
    return None


# ---------------------------------------------------------------------- words of their own


def _indices(call: Call) -> RuntimeError | None:
    """Indices may wait on the CPU; what is put at them must be there already, or be a number."""
    home = call.named("self")
    if any(t.device not in (home.device, _CPU) for name, t in call.tensors if name == "indices"):
        return RuntimeError(
            "indices should be either on cpu or on the same device as the indexed tensor "
            f"({home.device})"
        )
    values = call.given.get("values")
    if values is None or values.device == home.device or values.dim() == 0:
        return None
    if call.given.get("accumulate") and home.is_cuda:
        return RuntimeError(
            f"expected device {home.device} but got device {values.device} for value tensor"
        )
    return _found_two([(home, True), (values, False)])


def _mask(call: Call) -> RuntimeError | None:
    """masked_fill looks at the mask first; the value may be a number on the CPU."""
    data, mask = call.named("self"), call.named("mask")
    if data.device != mask.device:
        return RuntimeError(
            "expected self and mask to be on the same device, but got mask on "
            f"{mask.device} and self on {data.device}"
        )
    return _elementwise(call)


def _convolution(call: Call) -> RuntimeError | None:
    """Convolutions compare types before cuDNN compares devices; a bias is added afterwards."""
    (_, data), *rest = call.tensors
    for name, odd in rest:
        if odd.is_cuda != data.is_cuda:
            kinds = f"Input type ({data.type()}) and {name} type ({odd.type()}) should be the same"
            if not data.is_cuda:
                kinds += f" or input should be a MKLDNN tensor and {name} is a dense tensor"
            return RuntimeError(kinds)
    if call.named("weight").device != data.device:
        transpose = "_transpose" if call.given["transposed"] else ""
        return _other_device(call.tensors, f"_cudnn_convolution{transpose}", {})
    return _found_two([(tensor, False) for _, tensor in call.tensors])


_CPU = torch.device("cpu")
_OWN_WORDS: dict[str, Rule] = {
    **dict.fromkeys(("index", "_unsafe_index", "index_put", "index_put_"), _indices),
    **dict.fromkeys(("_index_put_impl_", "_unsafe_index_put"), _indices),
    **dict.fromkeys(("masked_fill", "masked_fill_"), _mask),
    "convolution": _convolution,
}
