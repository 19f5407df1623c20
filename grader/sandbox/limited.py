"""`python -m grader.sandbox.limited LIMITS MODULE [ARGUMENT...]`: run a module under limits."""

from __future__ import annotations

import json
import runpy
import sys

from grader.sandbox import limits


def main() -> None:
    _, wanted, module, *arguments = sys.argv
    limits.apply(limits.Limits(**json.loads(wanted)))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
