"""Autocast on virtual GPUs: which ops run in half precision and which in float32.

torch's own kernels for this ask C++ whether a tensor is on CUDA. The lists are those of PyTorch's
documentation of CUDA autocast ("CUDA Op-Specific Behavior"), and of aten/src/ATen/autocast_mode.h.
Casts of weights are kept until the outermost region ends, so that a weight that is used twice
gathers its gradient in half precision, as there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Never

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from grader.vgpu.patches.build import Library, override
from grader.vgpu.tensor import VirtualTensor

_HALF = (
    *("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d.input"),
    *("conv_transpose3d.input", "convolution", "_convolution", "_convolution.deprecated"),
    *("conv_tbc", "cudnn_convolution", "cudnn_convolution_transpose", "prelu", "addmm", "addmv"),
    *("addr", "matmul", "einsum", "mm", "mv", "linalg_vecdot", "linalg_multi_dot", "baddbmm"),
    *("bmm", "addbmm", "chain_matmul", "scaled_dot_product_attention"),
    *("_scaled_dot_product_flash_attention", "_thnn_fused_lstm_cell", "_thnn_fused_gru_cell"),
    *("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"),
)
_SINGLE = (
    *("acos", "asin", "cosh", "erfinv", "exp", "expm1", "log", "log10", "log2", "log1p"),
    *("reciprocal", "rsqrt", "sinh", "tan", "pow.Tensor_Scalar", "pow.Tensor_Tensor"),
    *("pow.Scalar", "softplus", "layer_norm", "native_layer_norm", "group_norm", "rms_norm"),
    *("frobenius_norm.dim", "nuclear_norm", "nuclear_norm.dim", "linalg_matrix_sqrth"),
    *("cosine_similarity", "poisson_nll_loss", "cosine_embedding_loss", "nll_loss", "nll_loss2d"),
    *("hinge_embedding_loss", "kl_div", "l1_loss", "smooth_l1_loss", "huber_loss", "mse_loss"),
    *("margin_ranking_loss", "multilabel_margin_loss", "soft_margin_loss"),
    *("triplet_margin_loss", "multi_margin_loss", "binary_cross_entropy_with_logits", "dist"),
    *("pdist", "cdist", "renorm", "logsumexp", "upsample_nearest1d", "upsample_nearest2d"),
    *("upsample_nearest3d", "_upsample_nearest_exact1d", "_upsample_nearest_exact2d"),
    *("_upsample_nearest_exact3d", "upsample_linear1d", "upsample_bilinear2d"),
    *("_upsample_bilinear2d_aa", "upsample_trilinear3d", "upsample_bicubic2d"),
    *("_upsample_bicubic2d_aa",),
)
#: In float32 unless the call names a dtype.
_SINGLE_BY_DEFAULT = (
    *("prod", "prod.dim_int", "prod.dim_Dimname", "softmax.int", "softmax.Dimname"),
    *("log_softmax.int", "log_softmax.Dimname", "cumprod", "cumprod.dimname", "cumsum"),
    *("cumsum.dimname", "linalg_vector_norm", "linalg_matrix_norm", "linalg_matrix_norm.str_ord"),
    *("sum", "sum.dim_IntList", "sum.dim_DimnameList", "norm.Scalar", "norm.ScalarOpt_dim"),
    "norm.names_ScalarOpt_dim",
)
_WIDEST = (
    *("addcdiv", "addcmul", "atan2", "bilinear", "cross", "dot", "vdot", "grid_sampler"),
    *("index_put", "tensordot", "scatter_add"),
)
_BANNED = ("binary_cross_entropy",)
#: Only cuDNN's own code calls these, and no virtual tensor gets there.
UNREACHED = ("_cudnn_rnn",)

#: What a call's tensors are cast to; None leaves them.
Rule = Callable[[Any, Any], torch.dtype | None]
_KEYS = torch._C.DispatchKeySet(torch._C.DispatchKey.AutocastCUDA)

#: Registrations last as long as their library.
_libraries: list[Any] = []


_clear_cache: Any = torch.clear_autocast_cache
#: Casts of weights, by identity of the weight, which is held so that it stays its own.
_casts: dict[int, tuple[Tensor, Tensor]] = {}


def known() -> frozenset[str]:
    """The names of all ops, without "aten::", that have a rule here."""
    return frozenset((*_HALF, *_SINGLE, *_SINGLE_BY_DEFAULT, *_WIDEST, *_BANNED))


def install() -> None:
    if _libraries:  # before this process was forked
        return
    library = Library("aten", "IMPL")
    _libraries.append(library)
    rules = (
        (_HALF, _half),
        (_SINGLE, _single),
        (_SINGLE_BY_DEFAULT, _single_by_default),
        (_WIDEST, _widest),
        (_BANNED, _refuse),
    )
    for names, rule in rules:
        for name in names:
            base, _, overload = name.partition(".")
            packet = getattr(torch.ops.aten, base, None)
            op = getattr(packet, overload or "default", None)
            if op is not None:
                override(library, op, _kernel(op, rule), "AutocastCUDA")
    setattr(torch, "clear_autocast_cache", clear_cache)  # noqa: B010


def clear_cache() -> None:
    _casts.clear()
    _clear_cache()


def _kernel(op: Any, rule: Rule) -> Any:
    def cast_and_run(*args: Any, **kwargs: Any) -> Any:
        with torch._C._ExcludeDispatchKeyGuard(_KEYS):
            dtype = rule(args, kwargs)
            if dtype is None:
                return op(*args, **kwargs)
            return op(
                *[_cast(value, dtype) for value in args],
                **{name: _cast(value, dtype) for name, value in kwargs.items()},
            )

    return cast_and_run


# ---------------------------------------------------------------------- rules: to which dtype


def _half(args: Any, kwargs: Any) -> torch.dtype:  # noqa: ARG001 - of the arguments, nothing
    return torch.get_autocast_dtype("cuda")


def _single(args: Any, kwargs: Any) -> torch.dtype:  # noqa: ARG001
    return torch.float32


def _single_by_default(args: Any, kwargs: Any) -> torch.dtype | None:
    named = any(isinstance(value, torch.dtype) for value in (*args, *kwargs.values()))
    return None if named else torch.float32


def _widest(args: Any, kwargs: Any) -> torch.dtype:
    """float32 as soon as one tensor is."""
    half = torch.get_autocast_dtype("cuda")
    for value in pytree.tree_leaves((args, kwargs)):
        if _castable(value) and value.dtype != half:
            if value.dtype != torch.float32:
                raise RuntimeError("Unexpected floating ScalarType in at::autocast::prioritize")
            return torch.float32
    return half


def _refuse(args: Any, kwargs: Any) -> Never:  # noqa: ARG001
    raise RuntimeError(
        "torch.nn.functional.binary_cross_entropy and torch.nn.BCELoss are unsafe to autocast.\n"
        "Many models use a sigmoid layer right before the binary cross entropy layer.\n"
        "In this case, combine the two layers using "
        "torch.nn.functional.binary_cross_entropy_with_logits\n"
        "or torch.nn.BCEWithLogitsLoss.  binary_cross_entropy_with_logits and BCEWithLogits are\n"
        "safe to autocast."
    )


# ---------------------------------------------------------------------- casts


def _castable(value: Any) -> bool:
    return (
        type(value) is VirtualTensor
        and value.is_floating_point()
        and value.dtype is not torch.float64
    )


def _cast(value: Any, dtype: torch.dtype) -> Any:
    """Floating-point tensors of GPUs in `dtype`; float64 and everything else as it is."""
    if isinstance(value, (list, tuple)):
        return type(value)(_cast(item, dtype) for item in value)
    if not _castable(value) or value.dtype is dtype:
        return value
    if not _is_weight(value) or dtype is not torch.get_autocast_dtype("cuda"):
        return value.to(dtype)
    kept = _casts.get(id(value))
    if kept is None:
        kept = _casts[id(value)] = value, value.to(dtype)
    return kept[1]


def _is_weight(tensor: Tensor) -> bool:
    return (
        tensor.requires_grad
        and tensor.is_leaf
        and tensor.dtype is torch.float32
        and not tensor._is_view()
        and torch.is_autocast_cache_enabled()
    )
