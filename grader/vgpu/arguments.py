"""The arguments and results of an op: virtual tensors outside, inner tensors inside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor

from grader.trace import HOST
from grader.vgpu import devices
from grader.vgpu.memory import Block
from grader.vgpu.tensor import VirtualTensor, wrap


class Found:
    """What was found among the arguments of one call."""

    __slots__ = ("block", "gpu", "host", "mixed", "virtual")

    def __init__(self) -> None:
        self.gpu = HOST  # of the first tensor on a GPU
        self.virtual = False  # there is a virtual tensor, be it one of a host without data
        self.block: Block | None = None  # the first virtual tensor's memory
        self.mixed = False  # a second one is on another GPU
        self.host = False  # there is a tensor of the host

    @property
    def spread(self) -> bool:
        """Whether tensors of a GPU meet others from elsewhere: not every op takes that."""
        return self.mixed or (self.host and self.gpu != HOST)

    def note(self, tensor: VirtualTensor) -> None:
        if not self.virtual:
            self.virtual = True
            self.block = tensor._block
        if tensor._gpu == HOST:
            self.host = True
        elif self.gpu == HOST:
            self.gpu, self.block = tensor._gpu, tensor._block
        elif self.gpu != tensor._gpu:
            self.mixed = True


def tensors_in(values: Sequence[Any]) -> Iterator[Tensor]:
    """The tensors among the arguments or results of an op, those in lists too."""
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from tensors_in(value)


def unpack(values: Sequence[Any], found: Found) -> list[Any]:
    """The same arguments with the inner tensors; what they are is noted in `found`."""
    out: list[Any] = []
    for value in values:
        if type(value) is VirtualTensor:
            found.note(value)
            out.append(value._inner)
        elif isinstance(value, Tensor):
            found.host = True
            out.append(devices.backend().adopt(value))
        elif isinstance(value, (list, tuple)):
            out.append(unpack(value, found))
        else:
            out.append(value)
    return out


def unpack_keywords(kwargs: dict[str, Any], found: Found) -> dict[str, Any]:
    if not kwargs:
        return kwargs
    return dict(zip(kwargs, unpack(list(kwargs.values()), found), strict=True))


def repack(result: Any, gpu: int, block: Block | None) -> Any:
    """Put the tensors of a result on a GPU; numbers and None stay as they are."""
    if type(result) is Tensor:
        return wrap(result, gpu, block)
    if isinstance(result, (list, tuple)):
        return type(result)([repack(x, gpu, block) for x in result])
    return result


def repack_each(result: Any, like: Sequence[Any]) -> Any:
    """Results of a _foreach op: one per tensor of its first list, each on that one's GPU."""
    if not isinstance(result, (list, tuple)):
        return result
    return [
        wrap(x, y._gpu) if type(y) is VirtualTensor else x
        for x, y in zip(result, like, strict=True)
    ]
