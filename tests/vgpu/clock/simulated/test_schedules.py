"""Step times and bubbles of schedules whose closed form is known."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import torch
from programs import FLOPS_ONLY, OneFOneB, Sequential, gpipe, micro_batches, stages
from torch import nn

from grader import vgpu
from grader.timeline import MODEL, Kind, Phase, Timeline
from grader.vgpu import clock
from grader.vgpu.clock.spec import PRESETS, GpuSpec

ROWS, DIM, DEPTH = 32, 256, 20
FLOAT = 4  # bytes


def synchronize() -> None:
    for gpu in range(torch.cuda.device_count()):
        torch.cuda.synchronize(gpu)


def closed_form(spec: GpuSpec, gpus: int) -> float:
    """Seconds of a training step of DEPTH linear layers, one GPU after the other.

    Every product is 2 * ROWS * DIM**2 FLOPs; each layer has one forward and two backward, the
    first layer one less. Activations cross each border once on the way there and once back. SGD
    reads parameters and gradients and writes parameters; the other GPUs are done with theirs when
    the first one begins.
    """
    activation, weights = FLOAT * ROWS * DIM, FLOAT * DIM * DIM
    flops = 2 * ROWS * DIM**2 / spec.flops["float32"]
    product = max(flops, (2 * activation + weights) / spec.bandwidth)
    products = (3 * DEPTH - 1) * product
    copies = 2 * (gpus - 1) * spec.gpu_link.seconds(activation)
    biases = DEPTH * (activation + FLOAT * DIM) / spec.bandwidth  # their gradients are sums
    optimizer = DEPTH / gpus * 3 * (weights + FLOAT * DIM) / spec.bandwidth
    return products + copies + biases + optimizer


@pytest.mark.parametrize("gpus", [2, 5])
@pytest.mark.parametrize("kind", ["A100", "H100"])
def test_sequential_stages_take_the_closed_form(kind: str, gpus: int) -> None:
    clock.configure(PRESETS[kind])
    model = Sequential(DEPTH, gpus, DIM)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    printed = []
    for _ in range(3):
        x = torch.randn(ROWS, DIM, device="cuda:0")
        synchronize()
        begin = time.perf_counter()
        optimizer.zero_grad()
        model(x).sum().backward()
        optimizer.step()
        synchronize()
        printed.append(time.perf_counter() - begin)
    timeline = vgpu.timeline()
    expected = closed_form(PRESETS[kind], gpus)
    assert [w.seconds for w in timeline.steps()] == pytest.approx([expected] * 3, rel=0.02)
    assert printed == pytest.approx([expected] * 3, rel=0.02)


@pytest.mark.parametrize("gpus", [2, 5])
def test_naive_model_parallelism_keeps_one_gpu_busy(gpus: int) -> None:
    model = Sequential(DEPTH, gpus, DIM)
    for _ in range(2):
        model(torch.randn(ROWS, DIM, device="cuda:0")).sum().backward()
        clock.end_step()
    timeline = vgpu.timeline()
    window = timeline.steps()[1]
    assert timeline.most_at_once(window) == 1
    one, two = timeline.seconds_at_once(window)[1:3]
    assert (one / window.seconds > 0.5, two) == (True, 0.0)
    shares = timeline.busy_share(window)
    assert [share > 0 for share in shares] == [gpu < gpus for gpu in range(5)]
    assert sum(shares) <= 1
    assert timeline.bubble_share(window) == pytest.approx(1 - sum(shares) / gpus)


def test_optimizers_of_all_gpus_overlap() -> None:
    model = Sequential(DEPTH, 5, DIM)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(ROWS, DIM, device="cuda:0")).sum().backward()
    optimizer.step()
    timeline = vgpu.timeline()
    assert timeline.most_at_once() > 1
    assert timeline.most_at_once(phases=MODEL) == 1
    updates = [s for s in timeline.spans if s.phase is Phase.OPTIMIZER]
    assert {s.gpu for s in updates} == {0, 1, 2, 3, 4}


def pipeline(schedule: Callable[..., None], p: int, m: int) -> Timeline:
    clock.configure(FLOPS_ONLY)
    parts, batches = stages(p), micro_batches(m)
    synchronize()
    vgpu.reset()
    schedule(parts, batches)
    synchronize()
    timeline = vgpu.timeline()
    assert len(timeline.steps()) == 1
    return timeline


@pytest.mark.parametrize("p", [2, 4])
@pytest.mark.parametrize("m", range(1, 17))
def test_gpipes_bubble(p: int, m: int) -> None:
    timeline = pipeline(gpipe, p, m)
    assert timeline.bubble_share() == pytest.approx((p - 1) / (m + p - 1), rel=0.02)
    assert timeline.most_at_once() == min(p, m)


@pytest.mark.parametrize(("p", "m"), [(p, m) for p in (2, 4) for m in range(1, 17) if m >= p])
def test_the_bubble_of_one_forward_one_backward(p: int, m: int) -> None:
    timeline = pipeline(lambda *given: OneFOneB(*given).run(), p, m)
    assert timeline.bubble_share() == pytest.approx((p - 1) / (m + p - 1), rel=0.02)
    order = [s.phase.value[0] for s in timeline.spans if s.gpu == 0 and s.kind is Kind.COMPUTE]
    assert "".join(order).startswith("f" * p + "b")


def test_copies_on_default_streams_hold_both_gpus_up() -> None:
    alone = pipeline(lambda *given: OneFOneB(*given).run(), 2, 8)
    shared = pipeline(lambda *given: OneFOneB(*given, own_streams=False).run(), 2, 8)
    assert shared.bubble_share() > alone.bubble_share() + 0.1


def test_the_same_program_has_the_same_timeline() -> None:
    def run() -> list[tuple[object, ...]]:
        torch.manual_seed(0)
        timeline = pipeline(gpipe, 3, 4)
        begin = timeline.whole().start
        # Times are compared from the start on; where that is, decides their last bits.
        return [(*s[:2], round((s.start - begin) * 1e15), *s[4:]) for s in timeline.spans]

    first = run()
    assert len(first) == 3 * 4 * 2  # forward and backward of each stage and batch
    assert run() == first


def test_layers_name_their_backward() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 8)).cuda()
    model(torch.randn(2, 8, device="cuda")).sum().backward()
    spans = vgpu.timeline().spans
    backward = [(s.name, s.layer) for s in spans if s.phase is Phase.BACKWARD]
    assert backward == [
        ("aten::linear_backward", "2"),
        ("aten::threshold_backward", "1"),
        ("aten::linear_backward", "0"),
    ]
