"""Automatic mixed precision, as on CUDA."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grader import vgpu


def test_dtypes() -> None:
    layer, x = nn.Linear(8, 8).to("cuda:1"), torch.randn(4, 8, device="cuda:1")
    with torch.autocast("cuda", dtype=torch.float16):
        y = layer(x)
        assert y.dtype == torch.float16
        assert torch.softmax(y, -1).dtype == torch.float32
        assert F.mse_loss(y, y).dtype == torch.float32
        with torch.autocast("cuda", enabled=False):
            assert layer(x).dtype == torch.float32
    with torch.autocast("cuda", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert layer(x).dtype == torch.float32
    assert layer(x).dtype == torch.float32
    y.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_half_precision_gives_the_cpus_numbers() -> None:
    layer, x = nn.Linear(8, 8), torch.randn(4, 8)
    expected = F.linear(x.half(), layer.weight.half(), layer.bias.half())
    layer.to("cuda:1")
    with torch.autocast("cuda"):
        assert torch.equal(layer(x.cuda(1)).cpu(), expected)


def test_the_scaler_trains_over_two_gpus() -> None:
    layers = [nn.Linear(8, 8).to(f"cuda:{i}") for i in range(2)]
    parameters = [p for layer in layers for p in layer.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    x, y = torch.randn(16, 8, device="cuda:0"), torch.randn(16, 8, device="cuda:1")
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        with torch.autocast("cuda", dtype=torch.float16):
            loss = F.mse_loss(layers[1](layers[0](x).to("cuda:1")), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert vgpu.trace().losses == losses
    assert scaler.get_scale() == 65536.0


def test_the_scaler_skips_a_step_that_overflows() -> None:
    w = nn.Parameter(torch.ones(2, device="cuda:1"))
    optimizer = torch.optim.SGD([w], lr=0.1)
    scaler = torch.amp.GradScaler("cuda")
    scaler.scale((w * float("inf")).sum()).backward()
    scaler.step(optimizer)
    scaler.update()
    assert w.tolist() == [1.0, 1.0]
    assert scaler.get_scale() == 32768.0


def test_every_op_that_cuda_autocasts_has_a_rule() -> None:
    """A new torch that knows one more must be read, not run differently from CUDA."""
    from grader.vgpu.patches import autocast

    has = torch._C._dispatch_has_kernel_for_dispatch_key
    ops = [name for name in torch._C._dispatch_get_all_op_names() if name.startswith("aten::")]
    known = {name.removeprefix("aten::") for name in ops if has(name, "AutocastCUDA")}
    assert known - autocast.known() <= set(autocast.UNREACHED)


def test_mixed_precisions_become_the_widest() -> None:
    single, half = torch.randn(4, 4, device="cuda:1"), torch.randn(4, 4, device="cuda:1").half()
    index = torch.zeros(4, 4, dtype=torch.long, device="cuda:1")
    with torch.autocast("cuda"):
        results = [
            torch.addcmul(half, single, half),
            torch.addcdiv(half, half, single),
            torch.dot(half[0], single[0]),
            torch.tensordot(half, single),
            torch.scatter_add(single, 0, index, half),
            torch.cat([half, single]),
            torch.stack([half, single]),
        ]
        assert [result.dtype for result in results] == [torch.float32] * 7
        assert torch.addcmul(half, half, half).dtype == torch.float16
    expected = torch.dot(half[0].float().cpu(), single[0].cpu())
    assert torch.equal(results[2].cpu(), expected)


def test_a_named_dtype_stays() -> None:
    half = torch.ones(4, device="cuda:1").half()
    with torch.autocast("cuda"):
        assert torch.sum(half).dtype == torch.float32
        assert torch.sum(half, dtype=torch.float16).dtype == torch.float16
        assert torch.linalg.vector_norm(half, dtype=torch.float16).dtype == torch.float16
        assert torch.norm(half, 2, dim=0).dtype == torch.float32
        assert F.interpolate(half.view(1, 1, 4), scale_factor=2).dtype == torch.float32


def test_binary_cross_entropy_is_banned() -> None:
    p = torch.full((4,), 0.5, device="cuda:1")
    with torch.autocast("cuda"), pytest.raises(RuntimeError) as raised:
        F.binary_cross_entropy(p, p)
    assert str(raised.value).startswith(
        "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
        "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
    )
    assert F.binary_cross_entropy(p, p).item() == pytest.approx(0.6931, abs=1e-4)


def test_a_weight_is_cast_once_in_a_region() -> None:
    weight = nn.Parameter(torch.randn(4, 4, device="cuda:1"))
    x = torch.randn(4, 4, device="cuda:1")
    with torch.autocast("cuda"):
        first, second = torch.mm(x, weight), torch.mm(x, weight)
        with torch.autocast("cuda", enabled=False):
            assert torch.mm(x, weight).dtype == torch.float32
    casts = [y.grad_fn.next_functions[1][0] for y in (first, second)]
    assert casts[0] is casts[1]
    with torch.autocast("cuda"):
        assert torch.mm(x, weight).grad_fn.next_functions[1][0] is not casts[0]
    with torch.autocast("cuda", cache_enabled=False):
        pair = [torch.mm(x, weight).grad_fn.next_functions[1][0] for _ in range(2)]
    assert pair[0] is not pair[1]


def test_custom_functions_choose_their_precision() -> None:
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cuda", cast_inputs=torch.float32)
        def forward(ctx, a, b):
            seen.append((a.dtype, torch.is_autocast_enabled("cuda")))
            ctx.save_for_backward(a, b)
            return a @ b

        @staticmethod
        @torch.amp.custom_bwd(device_type="cuda")
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            return grad @ b.t(), a.t() @ grad

    a = torch.ones(2, 2, device="cuda:1").half().requires_grad_()
    with torch.autocast("cuda"):
        y = Product.apply(a, a)
    y.sum().backward()
    assert seen == [(torch.float32, False)]
    assert y.dtype == torch.float32
    assert a.grad.tolist() == [[4.0, 4.0], [4.0, 4.0]]


def test_one_region_covers_a_model_on_two_gpus() -> None:
    layers = [nn.Linear(8, 8).to(f"cuda:{i}") for i in (0, 3)]
    x = torch.randn(4, 8)
    h = F.linear(x.bfloat16(), *[p.detach().cpu().bfloat16() for p in layers[0].parameters()])
    expected = F.linear(h, *[p.detach().cpu().bfloat16() for p in layers[1].parameters()])
    with torch.autocast("cuda", dtype=torch.bfloat16):
        y = layers[1](layers[0](x.cuda(0)).cuda(3))
    assert y.device == torch.device("cuda:3")
    assert torch.equal(y.cpu(), expected)
