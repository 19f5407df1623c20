"""Runs a script or a module as `__main__`, as Python itself does.

The module stays `__main__` until the process ends: child processes import it again, threads and
farewells (atexit) go on using it, and pickle finds its classes there.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from grader.errors import UsageError

#: The module that was `__main__` before; its functions are still at work.
_before: list[ModuleType] = []


def of_file(script: str, arguments: tuple[str, ...]) -> Callable[[], None]:
    """What runs a script; UsageError for one that cannot be read."""
    path = Path(script)
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise UsageError(f"the script {script} {kind}", do="name a Python file")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"the script {script} cannot be read", found=error.strerror or str(error)
        ) from error
    file = str(path.absolute())

    def run() -> None:
        sys.argv[:] = [script, *arguments]
        sys.path[0] = str(path.resolve().parent)
        main = _main(file, None, SourceFileLoader("__main__", file))
        _execute(compile(source, file, "exec", dont_inherit=True), main)

    return run


def of_module(name: str, arguments: tuple[str, ...]) -> Callable[[], None]:
    """What runs a module (`python -m`); a package is run by its `__main__`."""
    sys.path[0] = str(Path.cwd())
    spec = _find(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = _find(f"{name}.__main__")
    code = spec.loader.get_code(spec.name) if spec and hasattr(spec.loader, "get_code") else None  # type: ignore[union-attr]
    if spec is None or code is None:
        raise UsageError(f"there is no module {name} to run", do="check its name and your folder")

    def run() -> None:
        sys.argv[:] = [str(spec.origin), *arguments]
        _execute(code, _main(str(spec.origin), spec, spec.loader))

    return run


def _find(name: str) -> ModuleSpec | None:
    try:
        return importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):  # of a parent, or no name at all
        return None


def _main(file: str, spec: ModuleSpec | None, loader: Any) -> ModuleType:
    module = ModuleType("__main__")
    vars(module).update(
        __file__=file,
        __spec__=spec,
        __package__=None if spec is None else spec.parent,
        __loader__=loader,
        __cached__=None,
        __builtins__=sys.modules["builtins"],
    )
    _before.append(sys.modules["__main__"])
    sys.modules["__main__"] = module
    return module


def _execute(code: CodeType, module: ModuleType) -> None:
    exec(code, vars(module))  # noqa: S102 - running it is what was asked for
