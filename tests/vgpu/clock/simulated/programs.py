"""Programs that the tests of the clock run on simulated GPUs: model parallel, GPipe, 1F1B."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from grader.vgpu.clock.spec import GpuSpec, Link

#: A GPU for which only FLOPs count, so that stages are exactly equal.
FLOPS_ONLY = GpuSpec(
    name="FLOPs only",
    flops={"float32": 1e12},
    bandwidth=math.inf,
    memory=80 << 30,
    gpu_link=Link(math.inf),
    host_link=Link(math.inf),
)
DIM, ROWS = 8, 4


class Sequential(nn.Module):
    """`depth` equal layers, spread evenly over the GPUs, as in the course."""

    def __init__(self, depth: int, gpus: int, dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Linear(dim, dim).to(f"cuda:{i * gpus // depth}") for i in range(depth)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x.to(layer.weight.device))
        return x


def stages(count: int) -> list[nn.Module]:
    """One equal stage per GPU."""
    return [nn.Linear(DIM, DIM, device=f"cuda:{s}") for s in range(count)]


def micro_batches(count: int) -> list[Tensor]:
    # Their gradients are asked for, so that the first stage's backward is as long as the others'.
    return [torch.randn(ROWS, DIM, device="cuda:0", requires_grad=True) for _ in range(count)]


def gpipe(parts: list[nn.Module], batches: list[Tensor]) -> None:
    """All forward passes, then all backward ones."""
    losses = []
    for batch in batches:
        x = batch
        for part in parts:
            x = part(x.to(part.weight.device))
        losses.append(x.sum())
    torch.stack(losses).sum().backward()


class Channel:
    """One way from a GPU to its neighbour, on streams of its own, as pipelines have it.

    On the default streams a copy would wait for all work of both GPUs, and hold up both.
    """

    def __init__(self, source: int, target: int, *, own_streams: bool) -> None:
        new = torch.cuda.Stream if own_streams else torch.cuda.default_stream
        self.out, self.into = new(source), new(target)

    def send(self, x: Tensor) -> tuple[Tensor, torch.cuda.Event]:
        """The tensor on the other GPU, and what to wait for before it is used."""
        self.out.wait_stream(torch.cuda.default_stream(self.out.device))
        with torch.cuda.stream(self.out), torch.cuda.stream(self.into):
            return x.to(self.into.device), self.into.record_event()


class OneFOneB:
    """Each stage: as many forwards as stages follow it, then one forward, one backward, ..."""

    def __init__(
        self, parts: list[nn.Module], batches: list[Tensor], *, own_streams: bool = True
    ) -> None:
        self.parts = parts
        self.last = len(parts) - 1
        self.plans = [plan(stage, len(parts), len(batches)) for stage in range(len(parts))]
        self.channels = {
            (s, t): Channel(s, t, own_streams=own_streams)
            for s in range(len(parts))
            for t in (s - 1, s + 1)
            if 0 <= t < len(parts)
        }
        self.arrived = {(0, "F", b): (x, None) for b, x in enumerate(batches)}
        self.passed: dict[tuple[int, int], tuple[Tensor, Tensor]] = {}  # inputs and outputs

    def run(self) -> None:
        while any(self.plans):
            for stage, left in enumerate(self.plans):
                if left and self.issue(stage, *left[0]):
                    left.pop(0)

    def issue(self, stage: int, kind: str, b: int) -> bool:
        """Issue one pass if what it needs has been issued."""
        given, event = None, None
        if kind == "F" or stage < self.last:
            if (stage, kind, b) not in self.arrived:
                return False
            given, event = self.arrived.pop((stage, kind, b))
        if event is not None:
            event.wait(torch.cuda.default_stream(stage))
        if kind == "F":
            x = given.detach().requires_grad_()
            out = self.parts[stage](x)
            self.passed[stage, b] = x, out
            self.forward_to(stage, stage + 1, kind, b, out.detach())
        else:
            x, out = self.passed.pop((stage, b))
            (out.sum() if given is None else out).backward(given)
            self.forward_to(stage, stage - 1, kind, b, x.grad)
        return True

    def forward_to(self, stage: int, other: int, kind: str, b: int, x: Tensor) -> None:
        if 0 <= other <= self.last:
            self.arrived[other, kind, b] = self.channels[stage, other].send(x)


def plan(stage: int, stages: int, batches: int) -> list[tuple[str, int]]:
    """The passes of one stage in 1F1B's order."""
    ahead = min(stages - 1 - stage, batches)
    steps = [("F", b) for b in range(ahead)]
    for b in range(batches - ahead):
        steps += [("F", ahead + b), ("B", b)]
    return steps + [("B", b) for b in range(batches - ahead, batches)]
