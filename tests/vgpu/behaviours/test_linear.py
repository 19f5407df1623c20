"""nn.Linear runs as one op, and gives the CPU's numbers to the last bit."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from grader import vgpu

Case = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]
rand = torch.randn
NEW = tuple(int(n) for n in torch.__version__.split(".")[:2]) >= (2, 13)

CASES = {
    "rows": lambda: (rand(7, 5), rand(3, 5), rand(3)),
    "rows without bias": lambda: (rand(7, 5), rand(3, 5), None),
    "one row": lambda: (rand(5), rand(3, 5), rand(3)),
    "batches": lambda: (rand(4, 7, 5), rand(3, 5), rand(3)),
    "batches without bias": lambda: (rand(4, 7, 5), rand(3, 5), None),
    "four dimensions": lambda: (rand(2, 4, 7, 5), rand(3, 5), rand(3)),
    "transposed rows": lambda: (rand(5, 7).t(), rand(3, 5), rand(3)),
    "transposed batches": lambda: (rand(7, 4, 5).transpose(0, 1), rand(3, 5), rand(3)),
    "transposed batches without bias": lambda: (
        rand(7, 4, 5).transpose(0, 1),
        rand(3, 5),
        None,
    ),
    "transposed weight": lambda: (rand(7, 5), rand(5, 3).t(), rand(3)),
    "one output": lambda: (rand(7, 5), rand(1, 5), rand(1)),
    "one input": lambda: (rand(7, 1), rand(3, 1), rand(3)),
    "weight is a vector": lambda: (rand(7, 5), rand(5), None),
    "no rows": lambda: (rand(0, 5), rand(3, 5), rand(3)),
    "wide": lambda: (rand(64, 256), rand(128, 256), rand(128)),
    "double": lambda: (rand(7, 5).double(), rand(3, 5).double(), rand(3).double()),
}
if NEW:  # older ones have no derivative of linear for complex numbers
    CASES["complex"] = lambda: (rand(7, 5) * 1j, rand(3, 5) * (1 + 1j), rand(3) * 1j)


def run(case: Case, device: str) -> list[torch.Tensor]:
    """Output, then gradients of input, weight and bias, on the CPU."""
    leaves = [t.detach().to(device).requires_grad_() for t in case if t is not None]
    out = F.linear(*leaves)
    out.abs().square().sum().backward()
    return [out.detach().cpu(), *(leaf.grad.cpu() for leaf in leaves)]


@pytest.mark.parametrize("name", CASES)
def test_the_cpus_numbers(name: str) -> None:
    case = CASES[name]()
    for here, there in zip(run(case, "cpu"), run(case, "cuda:1"), strict=True):
        assert torch.equal(here, there)
        assert here.stride() == there.stride()


def test_one_op_forward_and_one_backward() -> None:
    layer = torch.nn.Linear(3, 3).cuda()
    x = torch.ones(2, 3, device="cuda:0", requires_grad=True)
    vgpu.reset()
    layer(x).sum().backward()
    names = [op.name for op in vgpu.trace().ops if "linear" in op.name or "mm" in op.name]
    assert names == ["aten::linear", "aten::linear_backward"]


def test_second_derivatives() -> None:
    def second(device: str) -> torch.Tensor:
        torch.manual_seed(1)
        x, w, b = (rand(*shape).to(device).requires_grad_() for shape in ((4, 3), (2, 3), (2,)))
        (first,) = torch.autograd.grad(F.linear(x, w, b).pow(3).sum(), x, create_graph=True)
        return torch.autograd.grad(first.pow(2).sum(), w)[0].cpu()

    assert torch.allclose(second("cpu"), second("cuda:2"), rtol=1e-5)


def test_only_what_is_asked_for() -> None:
    layer = torch.nn.Linear(3, 2).cuda(1)
    layer.bias.requires_grad_(False)
    x = torch.ones(4, 3, device="cuda:1")
    layer(x).sum().backward()
    assert (x.grad, layer.bias.grad) == (None, None)
    assert layer.weight.grad.tolist() == [[4.0] * 3] * 2
