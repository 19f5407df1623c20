"""Which line of the hand-in put each parameter where it is: made it there, or moved it there."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook
from torch.utils.weak import WeakTensorKeyDictionary

from grader.sandbox import places
from grader.vgpu import recorder

#: The device that each parameter got, and the line ("file:number") that gave it.
_given: Any = WeakTensorKeyDictionary()
_apply: Any = nn.Module._apply
_moving_now = False


def install() -> None:
    """Note, from now on, where parameters become part of a module, and where a module moves."""
    register_module_parameter_registration_hook(_registered)
    setattr(nn.Module, "_apply", _moving)  # noqa: B010 - it is a method to mypy


def lines_of(parameters: Iterable[nn.Parameter], folder: Path) -> list[str]:
    """The lines of the hand-in that put these where they are now, each once.

    Left out are those that were put there in a way that is not followed (`p.data = ...`).
    """
    found: dict[str, None] = {}
    for parameter in parameters:
        device, line = _given.get(parameter, (None, None))
        if device == parameter.device and (place := places.named(line, folder)):
            found[place] = None
    return list(found)


def _registered(_: nn.Module, __: str, parameter: nn.Parameter | None) -> None:
    with suppress(Exception):  # of a parameter that is odd: it must fail where they use it
        if parameter is not None and parameter not in _given:
            _given[parameter] = (parameter.device, recorder.user_line(sys._getframe(1)))


def _moving(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
    """`Module.to()`, `.cuda()` and the like all end here; it calls itself for modules inside."""
    global _moving_now  # noqa: PLW0603 - one per process
    if _moving_now:
        return _apply(module, *args, **kwargs)
    _moving_now = True
    try:
        result = _apply(module, *args, **kwargs)
    finally:
        _moving_now = False
    with suppress(Exception):
        _moved(list(nn.Module.parameters(module)), sys._getframe(1))
    return result


def _moved(parameters: Sequence[torch.Tensor], frame: FrameType) -> None:
    """Where one of them is on another device now, all of them were put where they are."""
    if any(_given.get(one, (None, None))[0] != one.device for one in parameters):
        line = recorder.user_line(frame)
        for parameter in parameters:
            _given[parameter] = (parameter.device, line)
