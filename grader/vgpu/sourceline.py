"""The line of a script that is running: its text, and which tensors and modules it names, where."""

from __future__ import annotations

import ast
import inspect
import itertools
import linecache
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any

from torch import Tensor, nn

_NOTHING = object()
#: References to a frame's variables: the frame's own, ours, and that of the one who counts.
_NOBODY_ELSE = 3
_CONTAINERS = (list, tuple, dict, nn.ModuleList, nn.ModuleDict, nn.Sequential)
#: Of a list of tensors, this many are looked at.
_FIRST = 64


@dataclass(frozen=True)
class Placed:
    """An expression as it is written ("self.fc2") and the devices its tensors are on."""

    text: str
    devices: list[str]
    is_module: bool = False


@dataclass(frozen=True)
class Line:
    """`where` is "file:number", `text` the line without its indentation."""

    where: str
    text: str
    placed: list[Placed] = field(default_factory=list)


def read(frame: FrameType) -> Line:
    """The line that `frame` is at, and what the call or operation running there works on."""
    file, number = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, number, frame.f_globals).strip()
    found: dict[str, Placed] = {}
    source = _running(frame)
    try:
        for node in _operands(_parsed(source)):
            value = _value(node, frame)
            places = _devices(value)
            if places:
                name = ast.get_source_segment(source, node) or ast.unparse(node)
                found.setdefault(name, Placed(name, places, isinstance(value, nn.Module)))
    finally:
        _let_go(frame)
    return Line(f"{file}:{number}", text, [p for p in found.values() if not _is_owner(p, found)])


def _let_go(frame: FrameType) -> None:
    """Up to Python 3.12 a frame keeps the copy of its variables that `f_locals` made.

    It would keep alive what the script deletes: after running out of memory, of all moments.
    A script that called locals() holds the same copy, and keeps it.
    """
    if sys.version_info < (3, 13) and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
        names = frame.f_locals
        if sys.getrefcount(names) <= _NOBODY_ELSE:
            names.clear()


def _is_owner(item: Placed, found: Iterable[str]) -> bool:
    """In self.fc2(x), `self` is a module too, but not the one at work."""
    return item.is_module and any(
        name.startswith((f"{item.text}.", f"{item.text}[")) for name in found
    )


def _running(frame: FrameType) -> str:
    """The call or operation under way, by the positions that Python keeps per instruction."""
    positions = frame.f_code.co_positions()
    first, last, start, end = next(itertools.islice(positions, frame.f_lasti // 2, None))
    if first is None or last is None or start is None or end is None:
        return ""
    file = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    lines = [line.encode() for line in file[first - 1 : last]]
    if not lines:
        return ""
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][start:]
    return b"".join(lines).decode()


def _parsed(source: str) -> ast.AST | None:
    try:
        return ast.parse(source).body[0]
    except (SyntaxError, ValueError, IndexError):
        return None


def _operands(node: ast.AST | None) -> Iterator[ast.expr]:
    """The names that a call or an operation works on, in order; of calls inside it, none."""
    if node is None:
        return
    if isinstance(node, ast.Expr):
        yield from _operands(node.value)
    elif isinstance(node, ast.Call):
        yield from _called(node.func)
        for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
            yield from _named(argument)
    elif isinstance(node, ast.Subscript):
        yield from _named(node.value)
        yield from _named(node.slice)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _named(child)


def _called(function: ast.expr) -> Iterator[ast.expr]:
    """self.fc2(x) works on self.fc2; x.add_(y) on x. What holds no tensor falls out later."""
    yield function
    if isinstance(function, ast.Attribute):
        yield from _named(function.value)


def _named(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        yield node
    elif not isinstance(node, (ast.Call, ast.Lambda, ast.Constant)):
        for child in ast.iter_child_nodes(node):
            yield from _named(child)


# ---------------------------------------------------------------------- looking up


def _value(node: ast.AST, frame: FrameType) -> Any:
    """What an expression stands for, found without running any code of the script."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        number = _value(node.operand, frame)
        return -number if type(number) is int else _NOTHING
    if isinstance(node, ast.Name):
        return frame.f_locals.get(node.id, frame.f_globals.get(node.id, _NOTHING))
    if isinstance(node, ast.Attribute):
        return _attribute(_value(node.value, frame), node.attr)
    if isinstance(node, ast.Subscript):
        return _item(_value(node.value, frame), _value(node.slice, frame))
    return _NOTHING


def _attribute(owner: Any, name: str) -> Any:
    if isinstance(owner, Tensor):
        return owner.grad if name == "grad" and owner.is_leaf else _NOTHING
    own = getattr(owner, "__dict__", {})
    if isinstance(owner, nn.Module):
        own = {**own, **owner._parameters, **owner._buffers, **owner._modules}
    elif isinstance(owner, ModuleType):
        own = vars(owner)
    return own.get(name, _NOTHING)


def _item(owner: Any, key: Any) -> Any:
    if type(owner) not in _CONTAINERS or type(key) not in (int, str):
        return _NOTHING
    try:
        return owner[key]
    except (LookupError, TypeError):
        return _NOTHING


def _devices(value: Any) -> list[str]:
    """Where the tensors of a value are, in order; nothing for what holds no tensor."""
    if isinstance(value, Tensor):
        tensors = [value]
    elif isinstance(value, nn.Module):
        tensors = [*value.parameters(), *value.buffers()]
    elif type(value) in (list, tuple):
        tensors = [item for item in value[:_FIRST] if isinstance(item, Tensor)]
    else:
        return []
    return list(dict.fromkeys(str(tensor.device) for tensor in tensors))
