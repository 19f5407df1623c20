"""What carries virtual tensors inside torch shows in no message, name, text or warning."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F


def a(*shape: int, **options: Any) -> Tensor:
    return torch.rand(shape or (3, 4), device="cuda:0", **options)


def b(*shape: int, **options: Any) -> Tensor:
    return torch.rand(shape or (3, 4), device="cuda:1", **options)


def _twice() -> None:
    y = (a(requires_grad=True) ** 2).sum()
    y.backward()
    y.backward()


def _hook() -> None:
    x = a(requires_grad=True)
    x.register_hook(lambda grad: grad.cpu())
    (x * 1).sum().backward()


RAISE: dict[str, Callable[[], Any]] = {
    "stft": lambda: torch.stft(a(8), 4, window=b(4), return_complex=True),
    "istft": lambda: torch.istft(torch.stft(a(8), 4, return_complex=True), 4, window=b(4)),
    "gradient": lambda: torch.gradient(a(4), spacing=(b(4),)),
    "attention": lambda: F.scaled_dot_product_attention(a(1, 3, 4), b(1, 3, 4), b(1, 3, 4)),
    "grid": lambda: F.grid_sample(a(1, 1, 2, 2), b(1, 2, 2, 2), align_corners=False),
    "quantile": lambda: torch.quantile(a(4), b(1)),
    "block_diag": lambda: torch.block_diag(a(), b()),
    "meshgrid": lambda: torch.meshgrid(a(2), b(2), indexing="ij"),
    "multi_dot": lambda: torch.linalg.multi_dot([a(2, 2), b(2, 2), a(2, 2)]),
    "lstm": lambda: nn.LSTM(2, 2).cuda(1)(a(1, 1, 2)),
    "lstm cell": lambda: nn.LSTMCell(2, 2).cuda(1)(a(1, 2)),
    "gru state": lambda: nn.GRU(2, 2).cuda()(a(1, 1, 2), b(1, 1, 2)),
    "attention layer": lambda: nn.MultiheadAttention(4, 1).cuda(1)(a(), a(), a()),
    "transformer": lambda: nn.TransformerEncoderLayer(4, 1, 4).cuda(1)(a()),
    "gradient set": lambda: setattr(a(requires_grad=True), "grad", b()),
    "gradient set, cpu": lambda: setattr(a(requires_grad=True), "grad", torch.ones(3, 4)),
    "data set": lambda: setattr(a(), "data", "text"),
    "from_numpy": lambda: torch.from_numpy(a()),
    "numpy": lambda: np.asarray(a()),
    "numpy of a list": lambda: np.array([a(1), a(1)]),
    "pinned": lambda: a().pin_memory(),
    "type": lambda: a().type("torch.cuda.NoTensor"),
    "layout": lambda: a().to_sparse(),
    "integer gradient": lambda: torch.ones(2, dtype=torch.long, device="cuda:0").requires_grad_(),
    "leaf in place": lambda: a(requires_grad=True).add_(1),
    "view": lambda: a().view(5),
    "index": lambda: a()[9],
    "dtype": lambda: a() @ a(4, 3).double(),
    "item": lambda: a().item(),
    "no such overload": lambda: torch.add(a(), "text"),
    "no such method": lambda: a().no_such_method(),
    "device name": lambda: a().to("cuda:text"),
    "batch norm": lambda: nn.BatchNorm1d(4).cuda(1)(a()),
    "state dict": lambda: nn.Linear(2, 2).cuda().load_state_dict({"weight": a(3, 3)}),
    "functional": lambda: torch.func.grad(lambda x: (x + b()).sum())(a()),
    "clip": lambda: nn.utils.clip_grad_norm_([a()], "text"),
    "twice": _twice,
    "hook": _hook,
}


@pytest.mark.parametrize("case", RAISE)
def test_no_message_names_the_carrier(case: str) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises((RuntimeError, TypeError, ValueError, LookupError, AttributeError)) as e:
            RAISE[case]()
    texts = [str(e.value), *getattr(e.value, "__notes__", []), *(str(w.message) for w in told)]
    # torch lists all types of devices it knows when it is given none of them.
    shown = [text for text in texts if "lazy" in text.lower() and "hpu, mtia" not in text]
    assert shown == []


def _texts() -> Iterator[tuple[str, str]]:
    x = a(requires_grad=True)
    y = (x * 2).relu().sum()
    layer = nn.Linear(2, 2).cuda(1)
    for name, value in {
        "tensor": a(2, 2),
        "leaf": x,
        "result": y,
        "parameter": layer.weight,
        "layer": layer,
        "device": x.device,
        "type": type(x),
        "type()": x.type(),
        "half": x.half().type(),
        "grad_fn": y.grad_fn,
        "its name": y.grad_fn.name(),
        "before it": y.grad_fn.next_functions,
        "state": layer.state_dict(),
        "copy": copy.deepcopy(layer.weight),
        "size": x.size(),
        "dtype": x.dtype,
        "layout": x.layout,
        "generator": torch.Generator("cuda:1").device,
        "context": torch.cuda.device(1),
        "stream": torch.cuda.current_stream(1),
        "optimizer": torch.optim.Adam(layer.parameters()),
        "empty": torch.empty(0, device="cuda:2"),
        "bool": x > 0.5,
        "complex": torch.zeros(2, dtype=torch.complex64, device="cuda:2"),
        "0-dim": torch.tensor(1.5, device="cuda:3"),
    }.items():
        yield name, f"{value!r} {value!s}"


def test_no_text_names_the_carrier() -> None:
    texts = dict(_texts())
    assert {name: text for name, text in texts.items() if "lazy" in text.lower()} == {}
    assert texts["type()"].split() == ["'torch.cuda.FloatTensor'", "torch.cuda.FloatTensor"]
    assert texts["0-dim"].split(" tensor")[0] == "tensor(1.5000, device='cuda:3')"
