"""The part of a script that some names need, without the work it does.

A hand-in that trains at import, or keeps its class under `if __name__ == "__main__":`, is
read again as the statements that define what the class needs: imports, functions, classes
and constants. Loops, prints and training stay behind.
"""

from __future__ import annotations

import ast
import builtins
import functools
import symtable
from collections.abc import Iterable

#: Calls that take no time and change nothing, so a constant may be made with them.
HARMLESS_CALLS = frozenset(
    "device device_count is_available range len int float str bool list tuple dict set min max "
    "sum sorted round abs get getenv namedtuple Path join format getLogger".split()
)

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

#: Methods that change a list, a dict or a set in place.
_CHANGING = frozenset(
    "append extend insert add update setdefault sort reverse remove discard pop clear".split()
)


def works_at_import(tree: ast.Module) -> bool:
    """Whether importing the file does more than define things (it may train for minutes)."""
    return any(_is_work(node) for node in tree.body)


def is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def slice_for(tree: ast.Module, names: Iterable[str]) -> ast.Module:
    """The module-level statements that `names` need, in order, blocks around them opened.

    `if` keeps its test, except the main guard, whose body is taken as it is. Definitions
    that stand inside a function count as module level where the module has none of the name.
    """
    statements, needed = _needed(tree, frozenset(names))
    return ast.Module(body=_keep(statements, needed), type_ignores=[])


def needed_names(tree: ast.Module, names: Iterable[str]) -> set[str]:
    """`names` and every module-level name that they read, and so on."""
    return set(_needed(tree, frozenset(names))[1])


def set_by_functions(tree: ast.Module, name: str) -> set[str]:
    """What `name` needs and only functions outside of it set, by a `global` statement."""
    needed = needed_names(tree, {name})
    return {
        found
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name not in needed
        for node in ast.walk(function)
        if isinstance(node, ast.Global)
        for found in node.names
        if found in needed
    }


@functools.cache
def _needed(tree: ast.Module, names: frozenset[str]) -> tuple[list[ast.stmt], set[str]]:
    statements = _open_blocks(tree.body)
    wanted = set(names)
    for name in wanted - {bound for s in statements for bound in bound_names(s)}:
        statements += [n for n in ast.walk(tree) if isinstance(n, _Definition) and n.name == name]
    return statements, _closure(statements, wanted)


@functools.cache
def free_names(node: ast.AST) -> frozenset[str]:
    """The names that `node` takes from module level: no builtins, locals or parameters."""
    try:
        table = symtable.symtable(ast.unparse(node), "<slice>", "exec")
    except SyntaxError:  # a `nonlocal` of what is around it: all names, then
        return frozenset(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
    names = {s.get_name() for s in table.get_symbols() if s.is_referenced()}
    todo = list(table.get_children())
    while todo:
        scope = todo.pop()
        names |= {s.get_name() for s in scope.get_symbols() if s.is_referenced() and s.is_global()}
        todo += scope.get_children()
    return frozenset(name for name in names if not hasattr(builtins, name))


@functools.cache
def bound_names(node: ast.stmt) -> frozenset[str]:
    """The names that a statement defines, or changes in place (`gpus.append(0)`, `gpu[0] = 1`)."""
    bound: set[str] = set()
    for n in _own_scope(node):
        if isinstance(n, _Definition):
            bound.add(n.name)
        elif isinstance(n, (ast.Import, ast.ImportFrom)):
            bound |= {(a.asname or a.name).split(".")[0] for a in n.names}
        elif isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            bound.add(n.id)
        elif isinstance(n, (ast.Subscript, ast.Attribute)) and isinstance(n.ctx, ast.Store):
            bound |= free_names(n.value)
        elif isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute):
            if n.func.attr in _CHANGING:
                bound |= free_names(n.func.value)
    return frozenset(bound)


def _own_scope(node: ast.AST) -> Iterable[ast.AST]:
    """`node` and what lies in the same scope: the insides of definitions are left out."""
    yield node
    if isinstance(node, (_Definition, ast.Lambda)):
        return
    for child in ast.iter_child_nodes(node):
        yield from _own_scope(child)


def _open_blocks(body: list[ast.stmt]) -> list[ast.stmt]:
    opened: list[ast.stmt] = []
    for node in body:
        if is_main_guard(node) or (isinstance(node, ast.With) and not _binds(node)):
            opened += _open_blocks(node.body)  # type: ignore[attr-defined]  # If or With
        else:
            opened.append(node)
    return opened


def _binds(node: ast.With) -> bool:
    return any(item.optional_vars is not None for item in node.items)


def _closure(statements: list[ast.stmt], names: set[str]) -> set[str]:
    """`names` and all that the statements which define them read, and so on."""
    needed, todo = set(names), set(names)
    while todo:
        found = {
            name for s in statements if bound_names(s) & todo for name in free_names(s)
        } - needed
        needed |= found
        todo = found
    return needed


def _keep(statements: list[ast.stmt], needed: set[str]) -> list[ast.stmt]:
    kept: list[ast.stmt] = []
    for node in statements:
        if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
            kept.append(node)
        elif _is_setup(node) or (bound_names(node) & needed and not _is_training(node)):
            kept.append(_pruned(node, needed))
    return kept


def _pruned(node: ast.stmt, needed: set[str]) -> ast.stmt:
    """A block with only its needed statements inside; anything else as it is."""
    if isinstance(node, ast.If):
        body = _keep(node.body, needed) or [ast.Pass()]
        return ast.copy_location(ast.If(node.test, body, _keep(node.orelse, needed)), node)
    return node


def _is_training(node: ast.stmt) -> bool:
    """A loop that does more than fill a list or a dict: nothing that a definition needs."""
    loops = [n for n in ast.walk(node) if isinstance(n, (ast.For, ast.While))]
    if isinstance(node, (_Definition, ast.If)) or not loops:
        return False
    return not all(_fills(n) for loop in loops for n in loop.body)


def _fills(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Subscript) for target in node.targets)
    return isinstance(node, ast.Expr) and bool(bound_names(node))


def _is_setup(node: ast.stmt) -> bool:
    """Calls that change where modules are found, or where and how tensors are made."""
    setting = ("sys.path.", "torch.set_default_")
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith(setting)


def _is_work(node: ast.stmt) -> bool:
    if isinstance(node, (_Definition, ast.Import, ast.ImportFrom, ast.Pass)) or is_main_guard(node):
        return False
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return not all(
            _called(n) in HARMLESS_CALLS for n in ast.walk(node) if isinstance(n, ast.Call)
        )
    if isinstance(node, ast.If):
        return any(map(_is_work, [*node.body, *node.orelse]))
    if isinstance(node, ast.Try):
        handled = [n for handler in node.handlers for n in handler.body]
        return any(map(_is_work, [*node.body, *handled, *node.orelse, *node.finalbody]))
    return True


def _called(call: ast.Call) -> str:
    return ast.unparse(call.func).split(".")[-1]
