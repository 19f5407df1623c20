"""A child interpreter that runs this very package, from wherever it was imported."""

from __future__ import annotations

import sys
from pathlib import Path

import grader

# The package's folder is on the path only while the package is looked up: beside it may lie
# solutions, or a file that a student's `import` would find.
_BOOT = """\
import runpy, sys
sys.path.insert(0, sys.argv[1])
import grader
del sys.path[0], sys.argv[:2]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def python_module(module: str) -> list[str]:
    """The command line that runs a module of this package; arguments may follow."""
    return [sys.executable, "-P", "-c", _BOOT, str(Path(grader.__file__).parents[1]), module]
