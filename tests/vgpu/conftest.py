"""Some folders need a process that is switched over for good; test_behaviours.py starts them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
collect_ignore = ["behaviours", "per_device", "clock/simulated"]


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `python ARGUMENTS`, in an empty folder, with `VGPU` and other variables as given."""

    def run(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        mine = ("VGPU", "CUDA_VISIBLE_DEVICES")
        inherited = {k: v for k, v in os.environ.items() if k not in mine}
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env={**inherited, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **variables},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )

    return run
