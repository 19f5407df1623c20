"""Functions whose C++ looks at devices before any op runs, and would name the carrier."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from grader.vgpu.patches.replacing import replace
from grader.vgpu.wording import cuda_words

_FUNCTIONS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (functional, ("scaled_dot_product_attention", "grid_sample")),
    (torch, ("stft", "istft", "gradient", "block_diag", "meshgrid", "quantile", "nanquantile")),
    (torch.linalg, ("multi_dot",)),
)


def install() -> None:
    for module, names in _FUNCTIONS:
        for name in names:
            replace(module, name, _speaking(getattr(module, name)))


def _speaking(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def speaking(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except RuntimeError as error:
            cuda_words(error)
            raise

    return speaking
