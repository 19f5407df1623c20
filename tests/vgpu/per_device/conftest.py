"""Three virtual GPUs with a generator each, for this whole process."""

from __future__ import annotations

import pytest

from grader import vgpu

vgpu.install(3, generators="per-device")

import torch  # noqa: E402 - installed first, as in a script


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
