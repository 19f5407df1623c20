"""FLOPs and bytes of single ops, on tensors that need no GPU."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from grader.vgpu.clock import cost
from grader.vgpu.clock.spec import GpuSpec, Link

aten = torch.ops.aten
#: One FLOP and one byte a second, but for the dtypes that are told apart.
UNIT = GpuSpec("unit", {"float32": 1.0, "float16": 4.0, "tf32": 8.0}, 1.0, 1, Link(1), Link(1))
MATHS = GpuSpec("no memory traffic", UNIT.flops, float("inf"), 1, Link(1), Link(1))
M, K, N = 4, 8, 16


def estimate(func, *args, spec=UNIT, **kwargs):
    result = func(*args, **kwargs)
    return cost.estimate(spec, func, args, kwargs, result)


@pytest.fixture(params=["cpu", "meta"])
def device(request: pytest.FixtureRequest) -> Iterator[str]:
    with torch.device(request.param):
        yield request.param


def test_products_count_their_flops(device: str) -> None:
    a, b, bias = torch.ones(M, K), torch.ones(K, N), torch.ones(N)
    assert estimate(aten.mm.default, a, b, spec=MATHS).seconds == 2 * M * K * N
    assert estimate(aten.addmm.default, bias, a, b, spec=MATHS).seconds == 2 * M * K * N
    assert estimate(aten.bmm.default, a[None], b[None], spec=MATHS).seconds == 2 * M * K * N
    assert estimate(aten.mm.default, a, b).bytes == 4 * (M * K + K * N + M * N)


def test_convolutions_count_theirs(device: str) -> None:
    x, w = torch.ones(2, 3, 8, 8), torch.ones(5, 3, 3, 3)
    rest = (None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1)
    forward = estimate(aten.convolution.default, x, w, *rest, spec=GpuSpec(
        "no tf32", {"float32": 1.0}, float("inf"), 1, Link(1), Link(1)
    ))  # fmt: skip
    assert forward.seconds == 2 * 2 * 5 * 6 * 6 * 3 * 3 * 3


def test_linear_layers_count_each_product() -> None:
    x, w, b, y = torch.ones(M, K), torch.ones(N, K), torch.ones(N), torch.ones(M, N)
    product = 2 * M * K * N
    assert cost.estimate(MATHS, aten.linear.default, (x, w, b), {}, y).seconds == product
    forward = cost.estimate(UNIT, aten.linear.default, (x, w, b), {}, y)
    assert forward.bytes == 4 * (M * K + N * K + N + M * N)
    for wanted, products in (((1, 1, 1), 2), ((0, 1, 1), 1), ((0, 0, 1), 0)):
        grads = [g if want else None for g, want in zip((x, w, b), wanted, strict=True)]
        args = (x, y, w, [bool(want) for want in wanted])
        backward = cost.estimate(MATHS, aten.linear_backward.default, args, {}, grads)
        assert backward.seconds == products * product
    assert cost.estimate(UNIT, aten.linear_backward.default, args, {}, grads).bytes == 4 * (
        M * N + N
    )


def test_the_peak_is_that_of_the_dtype() -> None:
    a, b = torch.ones(M, K), torch.ones(K, N)
    flops = 2 * M * K * N
    half = estimate(aten.mm.default, a.half(), b.half(), spec=MATHS)
    assert half.seconds == flops / 4
    try:
        torch.set_float32_matmul_precision("high")
        assert estimate(aten.mm.default, a, b, spec=MATHS).seconds == flops / 8
    finally:
        torch.set_float32_matmul_precision("highest")
    assert estimate(aten.mm.default, a, b, spec=MATHS).seconds == flops


def test_the_slower_of_arithmetic_and_memory_counts() -> None:
    a, b = torch.ones(M, K), torch.ones(K, N)
    traffic = 4 * (M * K + K * N + M * N)
    assert estimate(aten.mm.default, a, b).seconds == max(2 * M * K * N, traffic)
    assert estimate(aten.mm.default, a[:1], b).seconds == 4 * (K + K * N + N)


def test_everything_else_is_memory_traffic(device: str) -> None:
    x, y = torch.ones(M, K), torch.ones(M, K)
    size = 4 * M * K
    sizes = {
        "add": estimate(aten.add.Tensor, x, y).bytes,
        "add_": estimate(aten.add_.Tensor, x, y).bytes,
        "add.out": estimate(aten.add.out, x, y, out=torch.empty(M, K)).bytes,
        "relu": estimate(aten.relu.default, x).bytes,
        "sum": estimate(aten.sum.default, x).bytes,
        "zero_": estimate(aten.zero_.default, x).bytes,
        "normal_": estimate(aten.normal_.default, x).bytes,
        "copy_": estimate(aten.copy_.default, x, y).bytes,
        "zeros": estimate(aten.zeros.default, [M, K]).bytes,
        "cat": estimate(aten.cat.default, [x, y]).bytes,
        "foreach": estimate(aten._foreach_add_.List, [x, x], [y, y]).bytes,
    }
    assert sizes == {
        "add": 3 * size,
        "add_": 3 * size,
        "add.out": 3 * size,
        "relu": 2 * size,
        "sum": size + 4,
        "zero_": size,
        "normal_": size,
        "copy_": 2 * size,
        "zeros": size,
        "cat": 4 * size,
        "foreach": 6 * size,
    }


def test_views_and_memory_that_is_not_written_cost_nothing(device: str) -> None:
    x = torch.ones(M, K)
    for free in (
        estimate(aten.view.default, x, [K, M]),
        estimate(aten.t.default, x),
        estimate(aten.detach.default, x),
        estimate(aten.expand.default, x[:1], [M, K]),
        estimate(aten._unsafe_view.default, x, [K, M]),
        estimate(aten.empty.memory_format, [M, K]),
        estimate(aten.t_.default, torch.ones(M, K)),
    ):
        assert free == (0.0, 0)


def test_data_that_is_repeated_is_read_once() -> None:
    row = torch.ones(1, K).expand(M, K)
    assert estimate(aten.relu.default, row).bytes == 4 * K + 4 * M * K


def test_a_look_up_reads_what_it_returns() -> None:
    table, index = torch.ones(1000, K), torch.tensor([1, 7])
    assert estimate(aten.embedding.default, table, index).bytes == 2 * (2 * K * 4) + 2 * 8
