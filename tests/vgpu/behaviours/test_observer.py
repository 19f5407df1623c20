"""What watches real GPUs sees on virtual ones what those write down themselves."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from models import BATCH, DIM, LayerChain, even, round_robin
from torch import nn

from grader import vgpu
from grader.trace import HOST, LAYER_OPS
from grader.vgpu import layers
from grader.vgpu.observer import Observer


class Notes:
    """What the observer saw."""

    def __init__(self) -> None:
        self.ops: list[tuple[str, int]] = []
        self.transfers: list[tuple[int, int, int]] = []

    def op(self, name: str, gpu: int) -> None:
        self.ops.append((name, gpu))

    def transfer(self, source: int, target: int, size: int, *, non_blocking: bool) -> None:
        self.transfers.append((source, target, size))


@pytest.mark.parametrize("split", [even, round_robin])
def test_the_same_transfers_and_layers(split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers._calls, "mode", nullcontext())  # it would stand before the observer
    devices = split(10, 5)
    model, notes = LayerChain(devices), Notes()
    optimizer = torch.optim.Adam(model.parameters())
    vgpu.reset()
    with Observer(notes):
        for _ in range(3):
            x, y = torch.randn(BATCH, DIM), torch.randn(BATCH, DIM)
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x.to(devices[0])), y.cuda(4))
            loss.backward()
            optimizer.step()
            loss.item()
    trace = vgpu.trace()
    assert notes.transfers == [(t.source, t.target, t.bytes) for t in trace.transfers]
    assert len(notes.transfers) > 30
    run = [gpu for name, gpu in notes.ops if name in LAYER_OPS]
    assert run == [op.device for op in trace.ops if op.name in LAYER_OPS]


def test_copies_within_a_device_are_ops() -> None:
    notes = Notes()
    x = torch.ones(3, device="cuda:1")
    with Observer(notes):
        x.double()
        x.copy_(torch.zeros(3))
        x.sum()
    assert notes.transfers == [(HOST, 1, 12)]
    assert [op for op in notes.ops if op[1] == 1] == [("aten::_to_copy", 1), ("aten::sum", 1)]
