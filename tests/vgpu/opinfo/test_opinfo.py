"""Every op of PyTorch's own database gives the CPU's numbers, forward and backward; or is below."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

PROGRAM = Path(__file__).with_name("samples.py")

#: How many samples are right at the least: on the oldest supported torch, which has fewest ops.
LEAST = {"float32": 1870, "float64": 1860, "complex64": 1050, "int64": 1240, "bool": 900}

DIFFERENTIABLE = ("float32", "float64", "complex64")
SPARSE = "virtual GPUs do not have sparse tensors"
#: These have one formula for tensor subclasses and another, equal but for rounding, for others.
ROUNDED = "the gradient differs in the last bits"


class Known(NamedTuple):
    """What fails, with which dtypes, on torch `since` and `before` these releases."""

    op: str
    reason: str
    dtypes: tuple[str, ...]
    since: tuple[int, int] = (2, 9)
    before: tuple[int, int] = (2, 16)


#: One that passes is a failure, too.
KNOWN = (
    Known("sparse.mm.reduce", SPARSE, ("float32", "float64")),
    Known("sparse.sampled_addmm", SPARSE, DIFFERENTIABLE),
    Known("to_sparse", SPARSE, ("float32", "float64", "int64", "bool")),
    Known("prod", ROUNDED, DIFFERENTIABLE),
    Known("masked_fill", ROUNDED, ("complex64",)),
    Known("cumprod", ROUNDED, DIFFERENTIABLE, before=(2, 13)),
    Known("masked.cumprod", ROUNDED, DIFFERENTIABLE, before=(2, 13)),
    Known("linalg.vander", ROUNDED, DIFFERENTIABLE, before=(2, 13)),
    Known(
        "nn.functional.linear",
        "linear does not support automatic differentiation for outputs with complex dtype",
        ("complex64",),
        before=(2, 13),
    ),
    # One kernel on the CPU, made of products of matrices on virtual GPUs.
    Known(
        "nn.functional.scaled_dot_product_attention",
        "the value differs in the last bits",
        ("float32", "float64"),
        since=(2, 15),
    ),
)


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    """By dtype, of one child process."""
    pytest.importorskip(
        "expecttest", reason="torch's database of ops needs it: pip install expecttest"
    )
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *LEAST],
        env={**os.environ, "VGPU": "", "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("dtype", LEAST)
def test_the_cpus_numbers(dtype: str, results: dict[str, Any]) -> None:
    found = results[dtype]
    failures = found["failures"]
    release = tuple(map(int, torch.__version__.split(".")[:2]))
    here = [k for k in KNOWN if dtype in k.dtypes and k.since <= release < k.before]
    known = {k.op: k.reason for k in here}
    assert {n: f for n, f in failures.items() if n not in known or known[n] not in f} == {}
    assert known.keys() - failures.keys() == set(), "pass now: take them out of KNOWN"
    assert found["right"] >= LEAST[dtype]
