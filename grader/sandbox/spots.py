"""Lines of a model's class that a beginner may have to look at, found in the text of the code.

None of them need be a mistake. That something is wrong is seen when the code runs, and these are
the lines that such a thing comes from.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from grader.sandbox import places
from grader.sandbox.slices import slice_for

MOST = 3  # lines of each kind

#: What may keep gradients from layers, and what makes numbers coarser than float32.
_CUTS = frozenset(
    "detach detach_ data no_grad inference_mode set_grad_enabled deepcopy requires_grad_ "
    "register_hook item numpy tolist".split()
)
_COARSE = frozenset("half float16 bfloat16 autocast".split())


def spots(tree: ast.Module, name: str, file: Path, folder: Path) -> dict[str, list[str]]:
    """By kind, the lines of a class and of what it needs in its file.

    "forward": its definition; "cuts": what may keep gradients from layers; "coarse": numbers
    coarser than float32; "lists": attributes that are plain lists.
    """
    path = str(folder / file)
    return {
        kind: [places.place(path, line, folder) for line in lines[:MOST]]
        for kind, lines in _lines(tree, name).items()
    }


def calls_of(tree: ast.Module, name: str) -> list[int]:
    """The lines at which something of this name is called."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return sorted({call.lineno for call in calls if _name(call.func) == name})


@functools.cache
def _lines(tree: ast.Module, name: str) -> dict[str, list[int]]:
    nodes = list(ast.walk(slice_for(tree, {name})))
    classes = [n for n in nodes if isinstance(n, ast.ClassDef) and n.name == name]
    methods = classes[-1].body if classes else []
    found = {
        "forward": {m.lineno for m in methods if getattr(m, "name", "") == "forward"},
        "cuts": {_line(n) for n in nodes if _name(n) in _CUTS or _forbids_gradients(n)},
        "coarse": {_line(n) for n in nodes if _name(n) in _COARSE},
        "lists": {n.lineno for n in nodes if isinstance(n, ast.Assign) and _keeps_list(n)},
    }
    return {kind: sorted(lines) for kind, lines in found.items()}


def _name(node: ast.AST) -> str | None:
    """The last word of `x.detach` or `deepcopy`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _line(node: ast.AST) -> int:
    """Where an expression ends: of a chain of calls over several lines, the last word's."""
    return int(getattr(node, "end_lineno", 0) or getattr(node, "lineno", 0))


def _forbids_gradients(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg == "requires_grad" and getattr(node.value, "value", None) is False
    return isinstance(node, ast.Assign) and any(_name(t) == "requires_grad" for t in node.targets)


def _keeps_list(node: ast.Assign) -> bool:
    is_list = isinstance(node.value, ast.List | ast.ListComp) or (
        isinstance(node.value, ast.Call) and _name(node.value.func) == "list"
    )
    return is_list and any(isinstance(target, ast.Attribute) for target in node.targets)
