"""Any model, placed anyhow: the CPU's numbers, a transfer wherever the path changes device."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from grader import vgpu
from grader.trace import HOST, Phase

WIDTH, BATCH = 4, 3


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.inner(x).tanh()


class Channels(nn.Module):
    """A convolution over the features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x.unsqueeze(1)).squeeze(1)


class Function(nn.Module):
    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


PARTS: dict[str, Callable[[], nn.Module]] = {
    "linear": lambda: nn.Linear(WIDTH, WIDTH),
    "linear without bias": lambda: nn.Linear(WIDTH, WIDTH, bias=False),
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "norm": lambda: nn.LayerNorm(WIDTH),
    "conv": Channels,
    "residual": Residual,
    "softmax": lambda: Function(lambda x: F.softmax(x, -1)),
    "views": lambda: Function(lambda x: x.t().flip(0).t().contiguous() * 2),
    "in place": lambda: Function(lambda x: x.clone().add_(1).mul_(x)),
}
#: Parts, each with its GPU.
models = st.lists(
    st.tuples(st.sampled_from(sorted(PARTS)), st.integers(0, 4)), min_size=1, max_size=7
)


def run(names: list[str], devices: list[str]) -> list[Tensor]:
    """One step of training: output, gradient of the input, gradients, new parameters."""
    torch.manual_seed(0)
    parts = [PARTS[name]().to(device) for name, device in zip(names, devices, strict=True)]
    start = torch.randn(BATCH, WIDTH).to(devices[0]).requires_grad_()
    parameters = [p for part in parts for p in part.parameters()]
    vgpu.reset()
    x = start
    for part, device in zip(parts, devices, strict=True):
        x = part(x.to(device))
    x.square().sum().backward()
    if parameters:
        torch.optim.SGD(parameters, lr=0.1).step()
    return [x.detach(), start.grad, *(p.grad for p in parameters), *(p.data for p in parameters)]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(models)
def test_the_cpus_numbers_and_the_naive_transfers(model: list[tuple[str, int]]) -> None:
    names, gpus = [name for name, _ in model], [gpu for _, gpu in model]
    expected = run(names, ["cpu"] * len(model))
    found = run(names, [f"cuda:{gpu}" for gpu in gpus])
    edges = [(t.source, t.target, t.phase) for t in vgpu.trace().transfers]
    for here, there in zip(expected, found, strict=True):
        assert there.is_cuda
        assert torch.equal(here, there.cpu())
    changes = [(a, b) for a, b in pairwise(gpus) if a != b]
    assert [(s, t) for s, t, phase in edges if phase is not Phase.BACKWARD] == changes
    back = [(b, a) for a, b in reversed(changes)]
    assert [(s, t) for s, t, phase in edges if phase is Phase.BACKWARD] == back
    assert not any(HOST in (s, t) for s, t, _ in edges)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(models)
def test_memory_is_given_back(model: list[tuple[str, int]]) -> None:
    def allocated() -> list[int]:
        return [torch.cuda.memory_allocated(gpu) for gpu in range(5)]

    before = allocated()
    found = run([name for name, _ in model], [f"cuda:{gpu}" for _, gpu in model])
    during = allocated()
    assert sum(during) > sum(before)
    del found
    assert allocated() == before
