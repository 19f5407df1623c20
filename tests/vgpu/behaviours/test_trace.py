"""The trace says what happened: devices, layers, transfers, lines, phases."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from models import BATCH, DIM, MOVES, RUNS, LayerChain, even, round_robin
from torch import nn

from grader import vgpu
from grader.trace import HOST, Edge, Layer, Phase, Trace
from grader.vgpu import recorder

BYTES = BATCH * DIM * 4


def forward(devices: list[torch.device]) -> torch.Tensor:
    model = LayerChain(devices)
    x = torch.randn(BATCH, DIM).to(devices[0])
    vgpu.reset()
    return model(x)


@pytest.mark.parametrize(
    ("split", "gpus", "transfers"),
    [(even, 2, 1), (even, 5, 4), (round_robin, 2, 19), (round_robin, 5, 19)],
)
def test_transfers_of_one_forward(split, gpus: int, transfers: int) -> None:
    devices = split(20, gpus)
    forward(devices)
    trace = vgpu.trace()
    assert trace.gpu_to_gpu() == transfers
    assert (trace.host_to_gpu(), trace.gpu_to_host()) == (0, 0)
    assert trace.placement() == [device.index for device in devices]
    assert trace.calls_of_to() == 20
    assert {t.bytes for t in trace.transfers} == {BYTES}
    assert trace.devices == 5
    assert sum(trace.layers_per_gpu()) == 20


def test_layers_have_the_names_of_their_modules() -> None:
    forward(even(4, 2))
    assert vgpu.trace().layers() == [
        Layer("layers.0.0", 0),
        Layer("layers.1.0", 0),
        Layer("layers.2.0", 1),
        Layer("layers.3.0", 1),
    ]


def test_a_lone_layer_is_named_by_its_class() -> None:
    nn.Linear(2, 2).cuda(3)(torch.ones(1, 2).cuda(3))
    assert vgpu.trace().layers() == [Layer("Linear", 3)]


def test_modules_outside_the_tree_are_named_by_their_class() -> None:
    class Hidden(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = [[nn.Linear(2, 2).cuda(i)] for i in range(2)]

        def forward(self, x):
            for (part,) in self.parts:
                x = part(x.to(part.weight.device))
            return x

    Hidden()(torch.ones(1, 2))
    assert vgpu.trace().layers() == [Layer("Linear", 0), Layer("Linear", 1)]


def test_backward_transfers_go_the_other_way() -> None:
    out = forward(even(20, 5))
    out.sum().backward()
    trace = vgpu.trace()
    assert trace.edges(Phase.FORWARD) == [Edge(i, i + 1, 1, BYTES) for i in range(4)]
    assert trace.edges(Phase.BACKWARD) == [Edge(i + 1, i, 1, BYTES) for i in range(4)]
    assert trace.gpu_to_gpu() == 4


def test_lines_are_those_of_the_user() -> None:
    out = forward(even(20, 5))
    loss = out.sum()
    loss.backward()  # the line of the backward transfers
    value = loss.item()  # the line of the copy to the host
    assert value == value
    where = {}
    for transfer in vgpu.trace().transfers:
        file, _, number = transfer.line.rpartition(":")
        text = Path(file).read_text("utf-8").splitlines()[int(number) - 1].strip()
        where.setdefault(transfer.phase, set()).add(text)
    assert where == {
        Phase.FORWARD: {MOVES},
        Phase.BACKWARD: {"loss.backward()  # the line of the backward transfers"},
        Phase.OTHER: {"value = loss.item()  # the line of the copy to the host"},
    }
    [(line, layers)] = vgpu.trace().lines_of_layers().items()
    file, _, number = line.rpartition(":")
    assert Path(file).read_text("utf-8").splitlines()[int(number) - 1].strip() == RUNS
    assert layers == 20


def test_a_layer_on_the_cpu_is_seen() -> None:
    forward([torch.device("cuda:0"), torch.device("cpu"), torch.device("cuda:1")])
    trace = vgpu.trace()
    assert trace.placement() == [0, HOST, 1]
    assert trace.layers()[1] == Layer("layers.1.0", HOST)
    assert (trace.gpu_to_host(), trace.host_to_gpu(), trace.gpu_to_gpu()) == (1, 1, 0)


def test_nothing_of_the_cpu_is_recorded_outside_modules() -> None:
    torch.ones(3) + 1
    assert vgpu.trace().ops == []


def test_an_exception_ends_the_forward() -> None:
    class Breaks(nn.Module):
        def forward(self, x):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        nn.Sequential(nn.Linear(2, 2), Breaks())(torch.ones(1, 2))
    seen = len(vgpu.trace().ops)
    torch.ones(3) + 1
    assert len(vgpu.trace().ops) == seen > 0
    assert recorder.here.where is recorder.NOWHERE


def test_sys_exit_ends_the_forward() -> None:
    class Leaves(nn.Module):
        def forward(self, x):
            raise SystemExit(3)

    with pytest.raises(SystemExit):
        nn.Sequential(Leaves())(torch.ones(1))
    assert recorder.here.where is recorder.NOWHERE
    vgpu.reset()
    torch.ones(3) + 1
    nn.Linear(2, 2)(torch.ones(1, 2))
    assert vgpu.trace().layers() == [Layer("Linear", HOST)]


def test_forward_passes_are_numbered() -> None:
    model, loss_fn = LayerChain(even(2, 2)), nn.MSELoss()
    x, y = torch.randn(BATCH, DIM).cuda(0), torch.randn(BATCH, DIM).cuda(1)
    vgpu.reset()
    for _ in range(3):
        loss_fn(model(x), y).backward()
    trace = vgpu.trace()
    assert trace.forwards() == [0, 2, 4]
    assert [trace.gpu_to_gpu(n) for n in trace.forwards()] == [1, 1, 1]
    assert trace.calls_of_to(4) == 2


def test_recomputation_is_backward() -> None:
    from torch.utils.checkpoint import checkpoint

    model = LayerChain(even(4, 2))
    x = torch.randn(BATCH, DIM, device="cuda:0", requires_grad=True)
    vgpu.reset()
    checkpoint(model, x, use_reentrant=False).sum().backward()
    trace = vgpu.trace()
    assert trace.forwards() == [0]
    assert trace.placement() == [0, 0, 1, 1]
    assert trace.gpu_to_gpu() == 1
    assert Edge(0, 1, 1, BYTES) in trace.edges(Phase.BACKWARD)
    model(x)
    assert vgpu.trace().forwards() == [0, 1]


def test_to_calls_count_whether_or_not_anything_moves() -> None:
    class Restless(nn.Module):
        def forward(self, x):
            x = x.to("cuda:1").to("cuda:1").cuda(1)
            return x.cpu().to(torch.float64)

    Restless()(torch.ones(2))
    trace = vgpu.trace()
    assert trace.to_calls == {0: 5}
    assert [(t.source, t.target) for t in trace.transfers] == [(HOST, 1), (1, HOST)]


def test_to_calls_of_torch_itself_do_not_count() -> None:
    class Homeless(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer.to("cuda:1")(x.to("cuda:1"))

    Homeless()(torch.ones(1, 2))
    trace = vgpu.trace()
    assert trace.calls_of_to() == 1
    assert trace.host_to_gpu() == 3


def test_losses_are_those_backward_starts_from() -> None:
    w = torch.tensor([1.0, 2.0], device="cuda:2", requires_grad=True)
    vgpu.reset()
    for _ in range(2):
        loss = (w * w).sum()
        loss.backward()
        with torch.no_grad():
            w += 1
    torch.tensor(0.5, requires_grad=True).backward()
    trace = vgpu.trace()
    assert trace.losses == [5.0, 13.0, 0.5]
    assert trace.transfers == []


def test_copies_in_place_are_transfers() -> None:
    a, b = torch.zeros(4, device="cuda:1"), torch.ones(4, device="cuda:3")
    a.copy_(b)
    a[1:3] = torch.zeros(2)
    trace = vgpu.trace()
    assert trace.edges() == [Edge(HOST, 1, 1, 8), Edge(3, 1, 1, 16)]
    assert a.tolist() == [1, 0, 0, 1]


def test_long_runs_keep_their_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LIMIT", 3)
    x = torch.ones(2, device="cuda:0")
    for _ in range(5):
        (x.to("cuda:1") + 1).sum()
    trace = vgpu.trace()
    assert (len(trace.ops), len(trace.transfers), trace.truncated) == (3, 3, True)
    assert trace.edges() == [Edge(0, 1, 5, 40)]
    assert trace.edges(Phase.FORWARD) == []
    assert Trace.from_json(trace.to_json()) == trace
    vgpu.reset()
    assert (vgpu.trace().truncated, vgpu.trace().edges()) == (False, [])


def test_a_trace_survives_json() -> None:
    forward(even(4, 2)).sum().backward()
    trace = vgpu.trace()
    assert Trace.from_json(trace.to_json()) == trace
    assert len(trace.ops) > 10
