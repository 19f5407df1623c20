"""`python -m grader.sandbox.limited LIMITS MODULE [ARGUMENT...]`: run a module under limits."""

from __future__ import annotations

import importlib
import json
import sys

from grader.sandbox import limits


def main() -> None:
    _, wanted, module, *arguments = sys.argv
    program = importlib.import_module(module)
    limits.apply(limits.Limits(**json.loads(wanted)))
    program.main(arguments)


if __name__ == "__main__":
    main()
