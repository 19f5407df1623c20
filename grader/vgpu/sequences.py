"""Packed sequences: their data are on a GPU, the batch sizes of each step on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grader.vgpu import devices, recorder
from grader.vgpu.arguments import Found, unpack
from grader.vgpu.dispatch import register
from grader.vgpu.tensor import VirtualTensor, wrap


@register("aten::_pack_padded_sequence")
def _pack(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    x, lengths, *rest = args
    if isinstance(lengths, VirtualTensor) and lengths.is_cuda:
        raise RuntimeError(
            "'lengths' argument should be a 1D CPU int64 tensor, but got "
            f"{lengths.dim()}D {lengths.device} {_scalar_type(lengths)} tensor"
        )
    found = Found()
    inner = unpack((x, lengths, *rest, *kwargs.values()), found)
    recorder.op(func._schema.name, found.gpu)
    data, batch_sizes = devices.backend().kernel(func)(*inner)
    return wrap(data, found.gpu), batch_sizes


def _scalar_type(tensor: VirtualTensor) -> str:
    """C++'s name of a dtype: "Long"."""
    name: str = tensor.type()
    return name.rpartition(".")[2].removesuffix("Tensor")
