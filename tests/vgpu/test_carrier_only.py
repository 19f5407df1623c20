"""All behaviours once more, with the carrier as the only way in: as with data on a real GPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_the_carrier_alone_leads_to_all_behaviours() -> None:
    options = ("-q", "-p", "carrier_only", "-p", "no:cacheprovider", "-p", "no:grader")
    child = subprocess.run(
        [sys.executable, "-m", "pytest", str(HERE / "behaviours"), *options],
        # Without VGPU: the plugin comes before the devices, which behaviours/conftest.py installs.
        env={**os.environ, "VGPU": "", "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
        check=False,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    assert " passed" in child.stdout
