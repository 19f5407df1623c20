"""A tensor on cuda:i says so and behaves so."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

D = torch.device


def test_a_tensor_says_where_it_is() -> None:
    x = torch.randn(3, 4, device="cuda:1")
    assert (x.device, x.get_device(), x.is_cuda, x.is_cpu) == (D("cuda:1"), 1, True, False)
    assert str(x.device) == "cuda:1"
    assert x.type() == "torch.cuda.FloatTensor"
    assert isinstance(x, torch.Tensor)


def test_moving() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    there = x.to("cuda:1")
    assert there.to("cuda:1") is there
    assert there.to("cuda:1", copy=True) is not there
    assert (x.cuda().device, x.cuda(3).device, there.to(4).device) == (
        D("cuda:0"),
        D("cuda:3"),
        D("cuda:4"),
    )
    assert there.to(torch.ones(1, device="cuda:2")).device == D("cuda:2")
    moved = there.to("cuda:2", torch.float64, non_blocking=True)
    assert (moved.device, moved.dtype) == (D("cuda:2"), torch.float64)
    assert torch.equal(moved.cpu(), x.double())
    assert type(moved.cpu()) is torch.Tensor


FACTORIES = {
    "tensor": lambda d: torch.tensor([1.0, 2.0], device=d),
    "tensor, with grad": lambda d: torch.tensor(3.0, device=d, requires_grad=True),
    "as_tensor": lambda d: torch.as_tensor(np.array([1, 2]), device=d),
    "arange": lambda d: torch.arange(5, device=d),
    "zeros": lambda d: torch.zeros(2, device=d),
    "ones": lambda d: torch.ones(2, device=d),
    "full": lambda d: torch.full((2,), 3.0, device=d),
    "eye": lambda d: torch.eye(3, device=d),
    "randn": lambda d: torch.randn(2, 2, device=d),
    "rand": lambda d: torch.rand(2, 2, device=d, requires_grad=True),
    "randint": lambda d: torch.randint(0, 5, (3,), device=d),
    "randperm": lambda d: torch.randperm(5, device=d),
    "linspace": lambda d: torch.linspace(0, 1, 5, device=d),
    "zeros_like": lambda d: torch.zeros_like(torch.ones(3), device=d),
    "new_full": lambda d: torch.ones(3).new_full((2,), 1.0, device=d),
    "new_tensor": lambda d: torch.zeros(2, device=d).new_tensor([1.0, 2.0]),
    "tril": lambda d: torch.tril(torch.ones(3, 3, device=d)),
    "from_numpy": lambda d: torch.from_numpy(np.ones(3)).to(d),
}


@pytest.mark.parametrize("name", FACTORIES)
@pytest.mark.parametrize("device", ["cuda:2", 2, D("cuda", 2)], ids=str)
def test_factories_give_the_cpus_values(name: str, device: object) -> None:
    if name == "from_numpy" or name == "new_full":
        device = "cuda:2"
    torch.manual_seed(0)
    there = FACTORIES[name](device)
    torch.manual_seed(0)
    here = FACTORIES[name]("cpu")
    assert there.device == D("cuda:2")
    assert (there.dtype, there.shape) == (here.dtype, here.shape)
    assert torch.equal(there.cpu(), here)


def test_default_device() -> None:
    with torch.device("cuda:1"):
        assert nn.Linear(3, 3).weight.device == D("cuda:1")
    torch.set_default_device("cuda:2")
    try:
        assert torch.ones(2).device == D("cuda:2")
        assert torch.get_default_device() == D("cuda:2")
    finally:
        torch.set_default_device(None)
    assert torch.ones(2).device == D("cpu")


def test_numbers_are_devices() -> None:
    assert torch.device(2) == D("cuda:2")
    assert isinstance(torch.device("cpu"), torch.device)
    assert not isinstance("cuda:0", torch.device)
    assert copy.deepcopy(D("cuda:1")) == D("cuda:1")


def test_printing() -> None:
    x = torch.ones(2, device="cuda:1")
    assert repr(x) == "tensor([1., 1.], device='cuda:1')"
    assert repr(x.double()) == "tensor([1., 1.], device='cuda:1', dtype=torch.float64)"
    assert repr(nn.Parameter(x)) == (
        "Parameter containing:\ntensor([1., 1.], device='cuda:1', requires_grad=True)"
    )
    assert repr(nn.Parameter(x) * 2).endswith("device='cuda:1', grad_fn=<MulBackward0>)")
    assert f"{x.sum():.3f}" == "2.000"
    assert f"{x}" == repr(x)
    assert str(type(x)) == "<class 'torch.Tensor'>"


def test_numpy_needs_the_cpu() -> None:
    x = torch.ones(2, device="cuda:1")
    words = "can't convert cuda:1 device type tensor to numpy. Use Tensor.cpu() to copy"
    for use in (x.numpy, lambda: np.asarray(x), lambda: np.array([x])):
        with pytest.raises(TypeError) as caught:
            use()
        assert str(caught.value).startswith(words)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
        x.clone().requires_grad_().numpy()
    assert x.cpu().numpy().tolist() == [1.0, 1.0]
    assert x.tolist() == [1.0, 1.0]


def test_lists_of_losses_become_a_tensor() -> None:
    losses = [torch.tensor(i / 2, device=f"cuda:{i}") for i in range(3)]
    assert torch.tensor(losses).tolist() == [0.0, 0.5, 1.0]
    assert sum(losses[:1] * 2).item() == 0.0


def test_views_share_their_data() -> None:
    x = torch.zeros(4, 4, device="cuda:1")
    x[1:3].add_(1)
    x.t()[0] = 5
    x.view(-1)[3] = 7
    assert x.cpu().tolist() == [[5, 0, 0, 7], [5, 1, 1, 1], [5, 1, 1, 1], [5, 0, 0, 0]]


def test_in_place_shapes() -> None:
    x = torch.arange(4.0, device="cuda:1")
    x.unsqueeze_(0)
    assert x.shape == (1, 4)
    x.t_()
    assert (x.shape, x.stride()) == ((4, 1), (1, 4))
    x.squeeze_()
    x.resize_(2, 2)
    assert x.tolist() == [[0, 1], [2, 3]]
    out = torch.empty(0, device="cuda:1")
    torch.add(x, 1, out=out)
    assert out.tolist() == [[1, 2], [3, 4]]


def test_autograd_through_views_and_in_place() -> None:
    y = torch.ones(3, device="cuda:0", requires_grad=True)
    z = y * 2
    z[0] = 3
    z.relu_()
    z.sum().backward()
    assert y.grad.tolist() == [0, 2, 2]
    assert y.grad.device == D("cuda:0")


def test_gradients_cross_devices() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a = x.to("cuda:1") ** 2
    b = a.to("cuda:4") * 3
    b.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]
    assert x.grad.device == D("cpu")
    (second,) = torch.autograd.grad((x.cuda(2) ** 3).sum(), x, create_graph=True)
    second.sum().backward()
    assert x.grad.tolist() == [12.0, 24.0]


def test_custom_function_moves_between_devices() -> None:
    class Move(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.to("cuda:1")

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return grad.to(x.device) * x

    x = torch.tensor([2.0, 3.0], device="cuda:0", requires_grad=True)
    Move.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0, 3.0]
    assert x.grad.device == D("cuda:0")


def test_data_can_move_under_a_parameter() -> None:
    p = nn.Parameter(torch.ones(2, 2))
    p.data = p.data.cuda(1)
    assert (p.device, isinstance(p, nn.Parameter), p.requires_grad) == (D("cuda:1"), True, True)
    p.data = p.data.to("cuda:2")
    p.data.mul_(3)
    assert (p.device, p.sum().item()) == (D("cuda:2"), 12)
    p.data = p.data.cpu()
    assert (p.device, type(p)) == (D("cpu"), nn.Parameter)


def test_deepcopy() -> None:
    layer = nn.Linear(3, 3).to("cuda:1")
    layer(torch.ones(1, 3, device="cuda:1")).sum().backward()
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        layer.weight.zero_()
    assert twin.weight.device == D("cuda:1")
    assert isinstance(twin.weight, nn.Parameter)
    assert twin.weight.abs().sum().item() > 0
    assert torch.equal(twin.weight.grad, layer.weight.grad)
    assert twin.weight.grad is not layer.weight.grad


def test_pinned_memory() -> None:
    x = torch.ones(2)
    assert (x.is_pinned(), x.pin_memory().is_pinned()) == (False, True)
    assert torch.zeros(2, pin_memory=True).is_pinned()
    with pytest.raises(RuntimeError, match=r"cannot pin 'torch\.cuda\.FloatTensor'"):
        x.cuda().pin_memory()


def test_indices_may_come_from_the_cpu() -> None:
    x = torch.arange(3.0, device="cuda:1")
    assert x[torch.tensor([2, 0])].tolist() == [2, 0]
    assert x[torch.tensor([True, False, True])].tolist() == [0, 2]
    x[0] = torch.tensor(5.0)
    assert x.tolist() == [5, 1, 2]


def test_single_numbers_may_come_from_the_cpu() -> None:
    x = torch.ones(2, device="cuda:1")
    y = torch.tensor(2.0) * x + torch.tensor(1.0)
    assert (y.device, y.tolist()) == (D("cuda:1"), [3.0, 3.0])


def test_inference_mode() -> None:
    layer = nn.Linear(2, 2).to("cuda:1")
    with torch.inference_mode():
        out = layer(torch.ones(1, 2).to("cuda:1")).to("cuda:3").to(torch.float64)
    assert (out.device, out.dtype) == (D("cuda:3"), torch.float64)
    expected = layer.cpu()(torch.ones(1, 2)).double()
    assert torch.equal(out.cpu(), expected)


def test_generators() -> None:
    here = torch.Generator().manual_seed(4)
    there = torch.Generator(device="cuda:1").manual_seed(4)
    assert there.device == D("cuda:1")
    assert isinstance(there, torch.Generator)
    a = torch.randn(3, generator=here)
    b = torch.randn(3, device="cuda:1", generator=there)
    assert torch.equal(a, b.cpu())
