"""torch.func and forward-mode derivatives: the CPU's numbers."""

from __future__ import annotations

import copy

import pytest
import torch
from both import GPU, equal_on_both
from torch import Tensor, func, nn
from torch.autograd import forward_ad
from torch.autograd.gradcheck import GradcheckError
from torch.nn import functional as F

from grader import vgpu

#: torch itself is written in torch.jit here and there, and warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")

X, V = torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), torch.linspace(-1, 1, 12)
V = V.view(4, 3)
W, B = torch.eye(3) + 0.3, torch.tensor([0.1, -0.2, 0.3])


def _energy(x: Tensor) -> Tensor:
    return (x.sin() * x).sum()


def _layer(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    return F.linear(x, weight, bias).tanh().pow(2).sum()


def test_grad() -> None:
    equal_on_both(func.grad(_energy), X)


def test_grad_of_a_layer() -> None:
    equal_on_both(func.grad(_layer, argnums=(0, 1, 2)), W, B, X)


def test_grad_and_value() -> None:
    equal_on_both(func.grad_and_value(_energy), X)


def test_vjp() -> None:
    equal_on_both(lambda x, v: func.vjp(torch.sin, x)[1](v), X, V)


def test_jvp() -> None:
    equal_on_both(lambda x, v: func.jvp(torch.sin, (x,), (v,)), X, V)


def test_jvp_of_a_layer() -> None:
    equal_on_both(lambda w, b, x, v: func.jvp(lambda y: F.linear(y, w, b), (x,), (v,)), W, B, X, V)


def test_vmap() -> None:
    equal_on_both(func.vmap(lambda row: row.softmax(0) * row.sum()), X)


def test_vmap_of_a_layer() -> None:
    equal_on_both(lambda w, b, x: func.vmap(lambda row: F.linear(row, w, b))(x), W, B, X)


def test_vmap_over_the_last_dimension() -> None:
    equal_on_both(func.vmap(torch.cumsum, in_dims=(1, None), out_dims=1), X, torch.tensor(0))


def test_vmap_draws_the_cpus_numbers() -> None:
    equal_on_both(func.vmap(F.dropout, randomness="different"), X)
    equal_on_both(func.vmap(F.dropout, randomness="same"), X)


def test_gradients_per_sample() -> None:
    equal_on_both(func.vmap(func.grad(_layer), in_dims=(None, None, 0)), W, B, X)


def test_jacobians() -> None:
    equal_on_both(func.jacrev(torch.tanh), X)
    equal_on_both(func.jacfwd(torch.tanh), X)


def test_hessian() -> None:
    equal_on_both(func.hessian(_energy), X)


def test_hessian_of_a_layer() -> None:
    equal_on_both(func.hessian(_layer), W, B, X)


def test_functional_call() -> None:
    def run(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        layer = nn.Linear(3, 3).to(x.device)
        return func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    equal_on_both(run, X, W, B)


def test_an_ensemble_in_one_call() -> None:
    def run(x: Tensor) -> Tensor:
        models = [nn.Linear(3, 3).to(x.device) for _ in range(3)]
        parameters, buffers = func.stack_module_state(models)
        base = copy.deepcopy(models[0]).to("meta")
        call = func.vmap(lambda p, b: func.functional_call(base, (p, b), (x,)))
        return call(parameters, buffers)

    equal_on_both(run, X)


def test_functionalize() -> None:
    equal_on_both(func.functionalize(lambda x: x.clone().add_(1).mul_(2)), X)


def test_a_custom_function_under_transforms() -> None:
    class Sine(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(x):
            return x.sin()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(inputs[0])
            ctx.save_for_forward(inputs[0])

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0].cos()

        @staticmethod
        def jvp(ctx, tangent):
            return tangent * ctx.saved_tensors[0].cos()

    equal_on_both(func.vmap(func.grad(lambda row: Sine.apply(row).sum())), X)
    equal_on_both(lambda x, v: func.jvp(Sine.apply, (x,), (v,)), X, V)


def test_devices_inside_transforms() -> None:
    seen = []

    def look(row: Tensor) -> Tensor:
        seen.append((str(row.device), row.is_cuda, row.get_device()))
        return row + torch.ones(3, device=row.device)

    func.vmap(look)(X.to(GPU))
    func.grad(lambda x: look(x).sum())(X.to(GPU))
    assert seen == [("cuda:1", True, 1)] * 2


def test_two_devices_in_a_transform_are_refused_as_outside() -> None:
    with pytest.raises(RuntimeError, match="found at least two devices, cuda:1 and cuda:2!"):
        func.vmap(lambda row: row + torch.ones(3, device="cuda:2"))(X.to(GPU))


@pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr")
def test_linearize_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError) as raised:
        func.linearize(torch.sin, X.to(GPU))
    assert str(raised.value) == (
        "virtual GPUs do not have torch.func.linearize: torch.func.jvp computes the same"
    )
    assert torch.equal(func.linearize(torch.sin, X)[0], X.sin())


def test_dual_numbers() -> None:
    def run(x: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        with forward_ad.dual_level():
            return tuple(forward_ad.unpack_dual(forward_ad.make_dual(x, v).tanh() * 2))

    equal_on_both(run, X, V)


def test_dual_numbers_through_a_layer() -> None:
    def run(w: Tensor, b: Tensor, x: Tensor, v: Tensor) -> tuple[Tensor, ...]:
        with forward_ad.dual_level():
            return tuple(forward_ad.unpack_dual(F.linear(forward_ad.make_dual(x, v), w, b)))

    equal_on_both(run, W, B, X, V)


def test_dual_weights() -> None:
    def run(w: Tensor, b: Tensor, x: Tensor) -> tuple[Tensor, ...]:
        with forward_ad.dual_level():
            return tuple(forward_ad.unpack_dual(F.linear(x, forward_ad.make_dual(w, w * 2), b)))

    equal_on_both(run, W, B, X)


def test_layers_are_one_op_again_after_forward_mode() -> None:
    """Forward mode knows the parts of a layer only; what follows it is as quick as before."""

    def run(w: Tensor, b: Tensor, x: Tensor) -> list[Tensor]:
        func.jvp(lambda y: F.linear(y, w, b), (x,), (x,))
        leaves = [t.requires_grad_() for t in (w, b, x)]
        return list(torch.autograd.grad(_layer(*leaves), leaves))

    equal_on_both(run, W, B, X)
    w, x = W.to(GPU), X.to(GPU)
    vgpu.reset()
    F.linear(x, w)
    assert [op.name for op in vgpu.trace().ops] == ["aten::linear"]


def test_gradcheck_in_both_modes() -> None:
    x = X.double().to(GPU).requires_grad_()
    assert torch.autograd.gradcheck(
        torch.tanh, (x,), check_forward_ad=True, check_batched_grad=True
    )
    w = W.double().to(GPU).requires_grad_()
    assert torch.autograd.gradgradcheck(F.linear, (x, w))
    with pytest.raises(GradcheckError):
        torch.autograd.gradcheck(lambda y: y * y.detach(), (x,))
