"""Five virtual GPUs for this whole process; each test starts from a clean record."""

from __future__ import annotations

import gc

import pytest

from grader import vgpu

vgpu.install(5)

import torch  # noqa: E402 - installed first, as in a script

gc.collect()
gc.freeze()  # torch's own objects stay; tests that collect garbage need not look through them


@pytest.fixture(autouse=True)
def clean() -> None:
    torch.set_num_threads(1)
    torch.cuda.set_device(0)
    torch.manual_seed(0)
    vgpu.reset()
