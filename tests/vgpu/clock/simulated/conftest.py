"""Five virtual GPUs and a virtual clock for this whole process."""

from __future__ import annotations

import pytest

from grader import vgpu

vgpu.install(5, clock="virtual")

import torch  # noqa: E402 - installed first, as in a script

from grader.vgpu import clock  # noqa: E402
from grader.vgpu.clock.spec import PRESETS  # noqa: E402


@pytest.fixture(autouse=True)
def clean() -> None:
    """An A100 in each place, all GPUs at rest, nothing recorded."""
    torch.set_num_threads(1)
    torch.cuda.set_device(0)
    torch.manual_seed(0)
    clock.configure(PRESETS["A100"])
    for gpu in range(5):
        torch.cuda.synchronize(gpu)
    vgpu.reset()
