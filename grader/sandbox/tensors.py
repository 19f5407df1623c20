"""Tensors as raw bytes: little-endian float32, so that neither side needs the other's objects."""

from __future__ import annotations

import torch


def to_bytes(tensor: torch.Tensor) -> bytes:
    """The values as float32, in C order, from whichever device holds them."""
    host = tensor.detach().cpu().to(torch.float32).contiguous()
    return host.numpy().tobytes()


def from_bytes(data: bytes, shape: list[int]) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.float32).reshape(shape)
