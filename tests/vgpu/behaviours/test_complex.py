"""Complex numbers: lazily conjugated and negated views, and what is computed from them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F


def numbers(device: str) -> Tensor:
    torch.manual_seed(5)
    return torch.randn(3, 3, dtype=torch.complex64).to(device)


def in_place(x: Tensor) -> Tensor:
    """Through views that are conjugated and negated."""
    x.conj().mul_(1 + 2j)
    x.conj().imag.add_(3)
    x.conj()[0] = 4j
    x.mH.copy_(x * 1j)
    return x


def into_a_view(x: Tensor) -> Tensor:
    out = torch.empty_like(x).conj()
    torch.mul(x, x.mH, out=out)
    return out


CASES: dict[str, Callable[[Tensor], Tensor]] = {
    "hfft": torch.fft.hfft,
    "ihfft": lambda x: torch.fft.ihfft(x.real),
    "hfftn": torch.fft.hfftn,
    "irfft2": torch.fft.irfft2,
    "stft": lambda x: torch.stft(
        x.real.reshape(-1), 4, window=torch.ones(4).to(x.device), return_complex=True
    ),
    "real and imaginary": lambda x: x.conj().imag + x.real,
    "view_as_real": torch.view_as_real,
    "a product with the adjoint": lambda x: x.mH @ x,
    "clone": lambda x: x.mH.clone(),
    "another precision": lambda x: x.mH.to(torch.complex128),
    "in place": in_place,
    "out=": into_a_view,
    "svd": lambda x: torch.linalg.svd(x)[2].mH,
    "pinv": torch.linalg.pinv,
    "eigvals": torch.linalg.eigvals,
    "lu_solve": lambda x: torch.linalg.lu_solve(*torch.linalg.lu_factor(x), x[:2], left=False),
    "where": lambda x: torch.where(x.real > 0, x.mH, x),
}


@pytest.mark.parametrize("name", CASES)
def test_the_cpus_complex_numbers(name: str) -> None:
    here, there = (CASES[name](numbers(device)) for device in ("cpu", "cuda:1"))
    assert there.device == torch.device("cuda:1")
    assert torch.equal(here, there.cpu())
    assert (here.is_conj(), here.is_neg()) == (there.is_conj(), there.is_neg())


@pytest.mark.parametrize(
    "name", ["hfft", "real and imaginary", "svd", "pinv", "eigvals", "lu_solve"]
)
def test_the_cpus_complex_gradients(name: str) -> None:
    grads = []
    for device in ("cpu", "cuda:1"):
        x = numbers(device).requires_grad_()
        CASES[name](x).abs().sum().backward()
        grads.append(x.grad.cpu())
    assert torch.equal(*grads)


def test_a_conjugate_is_a_view() -> None:
    x = numbers("cuda:1")
    assert x.conj().is_conj()
    assert x.conj().data_ptr() == x.data_ptr()
    assert x.conj().imag.is_neg()
    assert not x.conj().resolve_conj().is_conj()
    with pytest.raises(RuntimeError, match="view_as_real doesn't work on unresolved conjugated"):
        torch.view_as_real(x.conj())


def test_a_conjugate_prints_its_numbers() -> None:
    x = torch.tensor([1 + 2j], device="cuda:1")
    assert repr(x.conj()) == "tensor([1.-2.j], device='cuda:1')"
    assert repr(x.conj().imag) == "tensor([-2.], device='cuda:1')"


@pytest.mark.parametrize("function", [F.silu, F.mish], ids=["silu", "mish"])
def test_kernels_of_the_cpu_in_backward(function: Callable[[Tensor], Tensor]) -> None:
    grads = []
    for device in ("cpu", "cuda:1"):
        torch.manual_seed(5)
        x = torch.randn(200).to(device).requires_grad_()
        function(x).sum().backward()
        grads.append(x.grad.cpu())
    assert torch.equal(*grads)
