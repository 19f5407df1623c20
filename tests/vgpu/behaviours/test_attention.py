"""Attention, recurrent layers and torch.nn.utils against the CPU.

Attention has the CPU's bits with the MATH kernel; the CPU's default is another. Whole recurrent
layers agree to rounding only: the CPU has oneDNN for LSTMs, but without it, and in GRU and RNN too,
the gradients of the input's weights (with batch_first sometimes outputs) differ in the last bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from both import equal_on_both
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils import parametrizations, prune, rnn

SEQUENCE = torch.sin(torch.arange(120.0)).view(3, 5, 8)


def _learned(make: Callable[[], nn.Module], call: Any = None) -> Callable[[Tensor], Any]:
    """Output and all gradients of a module."""

    def run(x: Tensor) -> Any:
        module = make().to(x.device)
        x.requires_grad_()
        y = module(x) if call is None else call(module, x)
        y = y[0] if isinstance(y, tuple) else y
        y.pow(2).sum().backward()
        return y, x.grad, [p.grad for p in module.parameters() if p.grad is not None]

    return run


def _close_on_both(function: Callable[[Tensor], Any], x: Tensor) -> None:
    torch.manual_seed(0)
    expected = function(x.clone())
    torch.manual_seed(0)
    found = function(x.clone().cuda(1))
    for a, b in zip((*expected[:2], *expected[2]), (*found[:2], *found[2]), strict=True):
        assert str(b.device) == "cuda:1"
        torch.testing.assert_close(a, b.cpu(), rtol=1e-5, atol=2e-6)


def test_multihead_attention() -> None:
    make = lambda: nn.MultiheadAttention(8, 2, batch_first=True)  # noqa: E731
    equal_on_both(_learned(make, lambda m, x: m(x, x, x)), SEQUENCE)


def test_multihead_attention_without_weights() -> None:
    make = lambda: nn.MultiheadAttention(8, 2)  # noqa: E731
    run = _learned(make, lambda m, x: m(x, x, x, need_weights=False))
    _close_on_both(run, SEQUENCE)
    with sdpa_kernel(SDPBackend.MATH):
        equal_on_both(run, SEQUENCE)


def test_transformer_layer() -> None:
    equal_on_both(_learned(lambda: nn.TransformerEncoderLayer(8, 2, 16)), SEQUENCE)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
def test_transformer() -> None:
    make = lambda: nn.Transformer(8, 2, 1, 1, 16)  # noqa: E731
    equal_on_both(_learned(make, lambda m, x: m(x, x)), SEQUENCE)


def test_the_encoders_fast_path() -> None:
    def run(x: Tensor) -> Tensor:
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval().to(x.device)
        with torch.inference_mode():
            return layer(x)

    equal_on_both(run, SEQUENCE)


def test_attention_kernels() -> None:
    for causal in (False, True):

        def run(x: Tensor, causal: bool = causal) -> Any:
            x.requires_grad_()
            y = F.scaled_dot_product_attention(x, x * 2, x * 3, is_causal=causal)
            y.pow(2).sum().backward()
            return y, x.grad, []

        _close_on_both(run, SEQUENCE)
        with sdpa_kernel(SDPBackend.MATH):
            equal_on_both(run, SEQUENCE)


def test_recurrent_layers() -> None:
    for make in (nn.LSTM, nn.GRU, nn.RNN):
        for options in ({}, {"num_layers": 2, "bidirectional": True}, {"batch_first": True}):
            _close_on_both(_learned(lambda make=make, given=options: make(8, 6, **given)), SEQUENCE)


def test_recurrent_cells() -> None:
    for make in (nn.LSTMCell, nn.GRUCell, nn.RNNCell):
        equal_on_both(_learned(lambda make=make: make(8, 6)), SEQUENCE[0])


def test_packed_sequences() -> None:
    def run(x: Tensor) -> Any:
        packed = rnn.pack_padded_sequence(x.requires_grad_(), [5, 3, 2], batch_first=True)
        assert packed.data.device == x.device
        assert str(packed.batch_sizes.device) == "cpu"
        y, lengths = rnn.pad_packed_sequence(packed, batch_first=True)
        y.pow(2).sum().backward()
        return y, x.grad, lengths.tolist(), packed.batch_sizes.tolist()

    equal_on_both(run, SEQUENCE)


def test_an_lstm_over_packed_sequences() -> None:
    def call(module: nn.Module, x: Tensor) -> Tensor:
        packed = rnn.pack_padded_sequence(x, [5, 3, 2], batch_first=True)
        return rnn.pad_packed_sequence(module(packed)[0], batch_first=True)[0]

    _close_on_both(_learned(lambda: nn.LSTM(8, 6), call), SEQUENCE)


def test_lengths_on_a_gpu_are_refused() -> None:
    lengths = torch.tensor([5, 3, 2], device="cuda:1")
    with pytest.raises(RuntimeError) as raised:
        rnn.pack_padded_sequence(SEQUENCE.cuda(1), lengths, batch_first=True)
    assert str(raised.value) == (
        "'lengths' argument should be a 1D CPU int64 tensor, but got 1D cuda:1 Long tensor"
    )


def test_weight_norm() -> None:
    equal_on_both(_learned(lambda: parametrizations.weight_norm(nn.Linear(8, 4))), SEQUENCE)


def test_spectral_norm() -> None:
    equal_on_both(_learned(lambda: parametrizations.spectral_norm(nn.Linear(8, 4))), SEQUENCE)


def test_orthogonal_weights() -> None:
    equal_on_both(_learned(lambda: parametrizations.orthogonal(nn.Linear(8, 8))), SEQUENCE)


def test_pruned_weights() -> None:
    def run(x: Tensor) -> Any:
        layer = nn.Linear(8, 4).to(x.device)
        prune.l1_unstructured(layer, "weight", amount=0.5)
        layer(x).sum().backward()
        return layer.weight, layer.weight_mask, layer.weight_orig.grad

    equal_on_both(run, SEQUENCE)
