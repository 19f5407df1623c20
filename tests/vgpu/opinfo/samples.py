"""PyTorch's own database of ops on a virtual GPU, against the CPU: `samples.py float32 bool`.

The first three samples of each op, forward and backward. Prints a JSON object by dtype: how many
samples are `right`, and by "op" or "op.variant" what is wrong (`failures`). The database is read
once (four seconds); forks of this process, two at a time, take a dtype each.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.testing._internal.common_methods_invocations import op_db
from torch.utils._pytree import tree_leaves, tree_map

from grader import vgpu

vgpu.install(2)  # with the database at hand, which asks of a machine with CUDA what only CUDA has

GPU = torch.device("cuda:1")
SAMPLES = 3
Call = tuple[Any, Any, Any]  # input, args, kwargs


class WrongError(Exception):
    """What a virtual GPU does otherwise than the CPU."""


def to_gpu(value: Any) -> Any:
    if isinstance(value, torch.device) or value == "cpu":
        return GPU
    if not isinstance(value, Tensor):
        return value
    with torch.no_grad():
        moved = _with_storage(value) if _is_part(value) else value.detach().to(GPU)
    return moved.detach().requires_grad_(value.requires_grad)


def _is_part(x: Tensor) -> bool:
    """Whether x shows some of its storage only, which as_strided can look behind."""
    if x.layout is not torch.strided or x.is_conj() or x.is_neg() or x.dim() == 0:
        return False
    return x.untyped_storage().nbytes() != x.numel() * x.element_size()


def _with_storage(x: Tensor) -> Tensor:
    whole = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
    return whole.to(GPU).as_strided(x.size(), x.stride(), x.storage_offset())


def moved(op: Any, call: Call) -> Call:
    if op.name == "tensor_split":  # its indices stay on the CPU, on CUDA as well
        return to_gpu(call[0]), call[1], call[2]
    return tree_map(to_gpu, call)


def is_differentiable(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def gradients(result: Any, call: Call) -> list[Tensor | None]:
    outputs = [x for x in tree_leaves(result) if is_differentiable(x)]
    leaves = [x for x in tree_leaves(call) if is_differentiable(x)]
    if not outputs or not leaves:
        return []
    losses = [x.abs().sum() if x.is_complex() else x.sum() for x in outputs]
    return list(torch.autograd.grad(losses, leaves, allow_unused=True))


def compare(kind: str, expected: Any, found: Any) -> Iterator[str]:
    """Complaints about one tensor; the last bits are the mildest."""
    if not isinstance(expected, Tensor):
        return
    if not isinstance(found, Tensor) or found.device != GPU:
        raise WrongError(f"{kind} is not on {GPU}")
    found = found.detach().cpu()
    if (found.shape, found.dtype) != (expected.shape, expected.dtype):
        raise WrongError(f"{kind} is {found.dtype} {found.shape}")
    expected = expected.detach()
    if not torch.allclose(expected, found, equal_nan=True, atol=1e-4):
        raise WrongError(f"{kind} differs")
    if not torch.allclose(expected, found, equal_nan=True, atol=0, rtol=0):
        yield f"{kind} differs in the last bits"


def check(op: Any, call: Call) -> list[str] | None:
    """Complaints about the last bits; WrongError for anything worse; None: the CPU refuses."""
    there = moved(op, call)
    torch.manual_seed(1)
    try:
        expected = op.op(call[0], *call[1], **call[2])
    except Exception:
        return None
    torch.manual_seed(1)
    found = op.op(there[0], *there[1], **there[2])
    pairs = list(zip(tree_leaves(expected), tree_leaves(found), strict=True))
    if op.name.startswith(("empty", "new_empty")):  # any numbers will do
        pairs = []
    complaints = [c for e, f in pairs for c in compare("the value", e, f)]
    try:
        wanted = gradients(expected, call)
    except Exception:
        return complaints
    for e, f in zip(wanted, gradients(found, there), strict=True):
        complaints += compare("the gradient", e, f)
    return complaints


def samples(op: Any, dtype: torch.dtype) -> Iterator[Call]:
    torch.manual_seed(0)
    learns = op.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
    inputs = op.sample_inputs("cpu", dtype, requires_grad=learns)
    for sample in islice(inputs, SAMPLES):
        yield sample.input, sample.args, sample.kwargs


def run(dtype_name: str) -> dict[str, Any]:
    dtype = getattr(torch, dtype_name)
    right = 0
    failures: dict[str, str] = {}
    for op in op_db:
        if dtype not in op.dtypes:
            continue
        op_name = f"{op.name}.{op.variant_test_name}".rstrip(".")
        for call in samples(op, dtype):
            try:
                complaints = check(op, call)
            except Exception as error:
                failures[op_name] = f"{type(error).__name__}: {error}"
                continue
            if complaints is not None:
                right += 1
            if complaints:
                failures.setdefault(op_name, complaints[0])
    return {"right": right, "failures": failures}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with ProcessPoolExecutor(2, multiprocessing.get_context("fork")) as pool:
        print(json.dumps(dict(zip(sys.argv[1:], pool.map(run, sys.argv[1:]), strict=True))))
