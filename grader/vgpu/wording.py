"""Errors that torch writes in C++ name the carrier; students read CUDA's words."""

from __future__ import annotations

import re

from grader.vgpu.devices import CARRIER

_TYPE = re.compile(rf"\b{CARRIER.capitalize()}(\w+?)Type\b")
_DEVICE = re.compile(rf"(?<!, )\b{CARRIER}\b(?=[:'])")


def cuda_words(error: BaseException) -> None:
    """Rewrite the message of an exception in place."""
    if error.args and isinstance(error.args[0], str) and CARRIER in error.args[0].lower():
        text = _TYPE.sub(r"torch.cuda.\1Tensor", error.args[0])
        error.args = (_DEVICE.sub("cuda", text), *error.args[1:])
