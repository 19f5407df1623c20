"""Whose module an `import` finds where a file of the hand-in has the name of another module.

As with `python hw3.py`: a name that Python and torch had imported already stays theirs, any other
is the student's own file for the student's own code (`profile.py`, `test.py`). Everybody else
in the process, torch's late imports first of all, never sees such a file.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import torch  # noqa: F401 - what follows is to be taken after it

#: What `import torch` leaves in any process, so this is imported before the worker's other modules;
#: only our limits need `resource`.
_BEFORE = frozenset(name.partition(".")[0] for name in sys.modules) - {"resource"}

#: What torch asks for late, installed or not.
_ASKED_FOR = {"triton"}


def open_folder(folder: Path) -> None:
    """Let imports find the modules in `folder` first, as Python does for a script's own."""
    place = str(folder)
    if place in sys.path:
        return
    doubles = {name for name in _modules_in(folder) if _is_another(name)}
    sys.path.insert(0, place)
    if doubles:
        _Doubles(place, doubles).install()


def _modules_in(folder: Path) -> Iterator[str]:
    for entry in folder.iterdir():
        if entry.suffix == ".py":
            yield entry.stem
        elif (entry / "__init__.py").is_file():
            yield entry.name


def _is_another(name: str) -> bool:
    """Whether some other module of this name is, or could be, imported by others."""
    if name in _BEFORE:
        return False  # nobody finds theirs
    known = name in sys.modules or name in sys.stdlib_module_names or name in _ASKED_FOR
    return known or PathFinder.find_spec(name, sys.path) is not None


class _Doubles:
    """Two sets of modules under the same `names`: of the code in `folder`, and of all others.

    `sys.modules` holds the others' except while the folder's own code imports one of its own.
    """

    def __init__(self, folder: str, names: set[str]) -> None:
        self._folder = folder
        self._names = names
        self._import = builtins.__import__
        self._own_shown: set[str] = set()
        self._aside: dict[str, dict[str, ModuleType]] = {name: {} for name in names}

    def install(self) -> None:
        """Stand before the import statement of this process, and before the search on its path."""
        builtins.__import__ = self._importing
        search = sys.meta_path.index(PathFinder)
        sys.meta_path.insert(search, self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The others' module, for imports that pass by the statement (compiled code) as well."""
        if path is not None or name not in self._names or name in self._own_shown:
            return None
        spec = PathFinder.find_spec(name, [e for e in sys.path if e != self._folder], target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return spec

    def _importing(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - as Python calls it
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        around = str((globals or {}).get("__package__") or "")
        top = (around if level else name).partition(".")[0]
        if top not in self._names:
            return self._import(name, globals, locals, fromlist or (), level)
        file = str((globals or {}).get("__file__"))
        with self._shown(top, own=file.startswith(self._folder + os.sep)):
            return self._import(name, globals, locals, fromlist or (), level)

    @contextmanager
    def _shown(self, top: str, *, own: bool) -> Iterator[None]:
        before = top in self._own_shown
        self._show(top, own)
        try:
            yield
        finally:
            self._show(top, before)

    def _show(self, top: str, own: bool) -> None:
        if own == (top in self._own_shown):
            return
        now = {k: m for k, m in sys.modules.items() if k == top or k.startswith(f"{top}.")}
        for key in now:
            del sys.modules[key]
        sys.modules.update(self._aside[top])
        self._aside[top] = now
        self._own_shown ^= {top}
