"""A program for the sandbox: runs one script of the hand-in as `python SCRIPT` would.

`--folder FOLDER SCRIPT [ARGUMENT...]`.
"""

from __future__ import annotations

import argparse
import runpy
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="script", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where the hand-in is")
    parser.add_argument("script", help="relative to it")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    sys.argv = [options.script, *options.arguments]
    sys.path.insert(0, str(options.folder))
    runpy.run_path(str(options.folder / options.script), run_name="__main__")
