"""What autograd can do beside backward(): the CPU's numbers."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import torch
from both import GPU, equal_on_both
from torch import Tensor, nn
from torch.autograd import functional, graph
from torch.nn import functional as F
from torch.utils import checkpoint as checkpoints

#: torch itself is written in torch.jit here and there, and warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit")

X, V = torch.linspace(-2, 2, 12).view(4, 3), torch.linspace(1, 0, 12).view(4, 3)
W, B = torch.eye(3) + 0.3, torch.tensor([0.1, -0.2, 0.3])


def _energy(x: Tensor) -> Tensor:
    return (x.sin() * x).sum()


def test_functional_jacobian() -> None:
    equal_on_both(lambda x: functional.jacobian(torch.tanh, x), X)
    equal_on_both(lambda x: functional.jacobian(torch.tanh, x, vectorize=True), X)


def test_functional_jacobian_forward() -> None:
    mode = {"vectorize": True, "strategy": "forward-mode"}
    equal_on_both(lambda x: functional.jacobian(torch.tanh, x, **mode), X)


def test_functional_hessian() -> None:
    equal_on_both(lambda x: functional.hessian(_energy, x), X)


def test_functional_products() -> None:
    equal_on_both(lambda x, v: functional.vjp(torch.sin, x, v), X, V)
    equal_on_both(lambda x, v: functional.jvp(torch.sin, x, v), X, V)
    equal_on_both(lambda x, v: functional.vhp(_energy, x, v), X, V)
    equal_on_both(lambda x, v: functional.hvp(_energy, x, v), X, V)


def test_double_backward() -> None:
    def run(w: Tensor, b: Tensor, x: Tensor) -> Any:
        w.requires_grad_()
        x.requires_grad_()
        (gx,) = torch.autograd.grad(F.linear(x, w, b).tanh().sum(), x, create_graph=True)
        return torch.autograd.grad(gx.pow(2).sum(), (w, x))

    equal_on_both(run, W, B, X)


def test_batched_gradients() -> None:
    def run(x: Tensor) -> Any:
        x.requires_grad_()
        rows = torch.eye(12, device=x.device).view(12, 4, 3)
        return torch.autograd.grad(x.tanh(), x, rows, is_grads_batched=True)

    equal_on_both(run, X)


def _checkpointed(w: Tensor, b: Tensor, x: Tensor, *, reentrant: bool) -> Any:
    x.requires_grad_()
    w.requires_grad_()
    part = checkpoints.checkpoint(
        lambda x, w: F.dropout(F.linear(x, w, b).relu()), x, w, use_reentrant=reentrant
    )
    part.sum().backward()
    return part, x.grad, w.grad


def test_checkpoint_replays_dropout() -> None:
    equal_on_both(functools.partial(_checkpointed, reentrant=False), W, B, X)


def test_reentrant_checkpoint_replays_dropout() -> None:
    equal_on_both(functools.partial(_checkpointed, reentrant=True), W, B, X)


def test_checkpoint_sequential() -> None:
    def run(x: Tensor) -> Any:
        model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(4)]).to(x.device)
        y = checkpoints.checkpoint_sequential(model, 2, x.requires_grad_(), use_reentrant=False)
        y.sum().backward()
        return y, x.grad, model[0].weight.grad

    equal_on_both(run, X)


def test_selective_checkpoint() -> None:
    contexts = functools.partial(
        checkpoints.create_selective_checkpoint_contexts, [torch.ops.aten.mm.default]
    )

    def run(x: Tensor) -> Any:
        x.requires_grad_()
        y = checkpoints.checkpoint(
            lambda x: (x @ x.t()).sin().sum(), x, use_reentrant=False, context_fn=contexts
        )
        y.backward()
        return y, x.grad

    equal_on_both(run, X)


def test_saved_tensors_hooks() -> None:
    seen = []

    def pack(tensor: Tensor) -> Tensor:
        seen.append(str(tensor.device))
        return tensor

    def run(x: Tensor) -> Any:
        x.requires_grad_()
        with graph.saved_tensors_hooks(pack, lambda packed: packed * 2):
            y = x.exp().sum()
        y.backward()
        return x.grad

    equal_on_both(run, X)
    assert seen == ["cpu", "cuda:1"]


def test_save_on_cpu() -> None:
    def run(x: Tensor, pin: bool) -> Any:
        x.requires_grad_()
        with graph.save_on_cpu(pin_memory=pin):
            y = (x.exp() * x).sum()
        y.backward()
        return x.grad

    equal_on_both(functools.partial(run, pin=False), X)
    equal_on_both(functools.partial(run, pin=True), X)


def test_hooks_of_tensors() -> None:
    def run(x: Tensor) -> Any:
        got: list[Tensor] = []
        y = x.requires_grad_() * 2
        y.register_hook(lambda grad: grad * 3)
        y.retain_grad()
        x.register_post_accumulate_grad_hook(lambda leaf: got.append(leaf.grad.clone()))
        y.sum().backward()
        return x.grad, y.grad, got

    equal_on_both(run, X)


def test_hooks_of_modules() -> None:
    def run(x: Tensor) -> Any:
        got: list[Tensor] = []
        layer = nn.Linear(3, 3).to(x.device)
        layer.register_full_backward_pre_hook(lambda _, out: (out[0] * 2,))
        layer.register_full_backward_hook(lambda _, inner, out: got.extend([inner[0], out[0]]))
        layer(x.requires_grad_()).tanh().sum().backward()
        return got, x.grad, layer.weight.grad

    equal_on_both(run, X)


@pytest.mark.filterwarnings("ignore:Anomaly Detection", "ignore:Error detected")
def test_anomaly_mode_names_the_function() -> None:
    x = torch.zeros(3, device=GPU, requires_grad=True)
    with (
        torch.autograd.detect_anomaly(),
        pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0"),
    ):
        (x.sqrt() * 0).sum().backward()


def test_inference_mode() -> None:
    def run(x: Tensor, w: Tensor) -> Any:
        with torch.inference_mode():
            y = F.linear(x, w)
        with pytest.raises(RuntimeError, match=r"^Inplace update to inference tensor outside"):
            y.add_(1)
        with pytest.raises(RuntimeError, match=r"^Setting requires_grad=True on inference tensor"):
            y.requires_grad_()
        return y, y.is_inference(), x.is_inference()

    equal_on_both(run, X, W)


def test_switching_gradients_off() -> None:
    def run(x: Tensor) -> Any:
        x.requires_grad_()
        with torch.no_grad():
            y = x * 2
            with torch.enable_grad():
                z = x * 3
        with torch.set_grad_enabled(False):
            u = x * 4
        return [t.requires_grad for t in (y, z, u)], y, z, u

    equal_on_both(run, X)


def test_custom_function() -> None:
    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, grad):
            return grad * ctx.saved_tensors[0].cos()

    def run(x: Tensor) -> Any:
        y = Sine.apply(x.requires_grad_())
        y.sum().backward()
        return y, x.grad

    equal_on_both(run, X)
