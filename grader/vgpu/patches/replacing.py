"""Putting a function in the place of one of torch's, so that torch.jit still finds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch.jit import _builtins


def replace(module: Any, name: str, function: Callable[..., Any]) -> None:
    """Let `module.name` be `function`; torch.jit, which knows functions by identity, too."""
    builtin = _builtins._find_builtin(getattr(module, name))  # type: ignore[no-untyped-call]
    if builtin is not None:
        _builtins._register_builtin(function, builtin)
    setattr(module, name, function)
