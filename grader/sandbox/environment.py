"""The environment variables that a student's process gets: few, and none of the grader's."""

from __future__ import annotations

import os
from pathlib import Path

#: What Windows and macOS need to start a process at all.
_PASSED = ("SYSTEMROOT", "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def clean_environment(home: Path | None = None) -> dict[str, str]:
    """A new environment; `home` is where programs that want to write may do so."""
    fixed = {
        "USER": "student",  # else libraries look for a name in /etc/passwd
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONSAFEPATH": "1",  # nothing is imported from the folder we happen to stand in
        "MPLBACKEND": "Agg",
        # One thread, and idle ones sleep: correct work timed out on a busy machine otherwise.
        "OMP_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    if home is not None:
        fixed |= {"HOME": str(home), "TMPDIR": str(home)}
    return {k: os.environ[k] for k in _PASSED if k in os.environ} | fixed
