"""Autocast on virtual GPUs: which ops run in half precision and which in float32.

torch's own kernels for this ask C++ whether a tensor is on CUDA. The two lists are those of
PyTorch's documentation of CUDA autocast ("CUDA Op-Specific Behavior").
"""

from __future__ import annotations

from typing import Any

import torch

from grader.vgpu.patches.build import Library, override
from grader.vgpu.tensor import VirtualTensor

_HALF = (
    *("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d.input"),
    *("conv_transpose3d.input", "convolution", "prelu", "addmm", "addmv", "addr", "matmul"),
    *("einsum", "mm", "mv", "linalg_vecdot", "linalg_multi_dot", "baddbmm", "bmm", "addbmm"),
    *("chain_matmul", "scaled_dot_product_attention", "_thnn_fused_lstm_cell"),
    *("_thnn_fused_gru_cell", "lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
)
_SINGLE = (
    *("acos", "asin", "cosh", "erfinv", "exp", "expm1", "log", "log10", "log2", "log1p"),
    *("reciprocal", "rsqrt", "sinh", "tan", "pow.Tensor_Scalar", "pow.Tensor_Tensor"),
    *("pow.Scalar", "softplus", "layer_norm", "native_layer_norm", "group_norm", "nuclear_norm"),
    *("cosine_similarity", "poisson_nll_loss", "cosine_embedding_loss", "nll_loss", "nll_loss2d"),
    *("hinge_embedding_loss", "kl_div", "l1_loss", "smooth_l1_loss", "huber_loss", "mse_loss"),
    *("margin_ranking_loss", "multilabel_margin_loss", "soft_margin_loss"),
    *("triplet_margin_loss", "multi_margin_loss", "binary_cross_entropy_with_logits", "dist"),
    *("pdist", "cdist", "renorm", "logsumexp", "cross_entropy_loss", "softmax.int"),
    *("log_softmax.int", "cumprod", "cumsum", "prod", "prod.dim_int", "sum", "sum.dim_IntList"),
    *("norm.Scalar", "rms_norm"),
)
_KEYS = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCUDA)

#: Registrations last as long as their library.
_libraries: list[Any] = []


def install() -> None:
    if _libraries:  # before this process was forked
        return
    library = Library("aten", "IMPL")
    _libraries.append(library)
    for names, half in ((_HALF, True), (_SINGLE, False)):
        for name in names:
            base, _, overload = name.partition(".")
            packet = getattr(torch.ops.aten, base, None)
            op = getattr(packet, overload or "default", None)
            if op is not None:
                override(library, op, _kernel(op, half), "AutocastCUDA")


def _kernel(op: Any, half: bool) -> Any:
    def cast_and_run(*args: Any, **kwargs: Any) -> Any:
        dtype = torch.get_autocast_dtype("cuda") if half else torch.float32
        with torch._C._ExcludeDispatchKeyGuard(_KEYS):
            return op(
                *[_cast(value, dtype) for value in args],
                **{name: _cast(value, dtype) for name, value in kwargs.items()},
            )

    return cast_and_run


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Floating-point tensors of GPUs in `dtype`; float64 and everything else as it is."""
    if type(value) is VirtualTensor:
        castable = value.is_floating_point() and value.dtype not in (dtype, torch.float64)
        return value.to(dtype) if castable else value
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(item, dtype) for item in value)
    return value
