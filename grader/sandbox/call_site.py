"""What the script itself passes to the model class for one parameter.

Where a class takes a GPU count or a list of devices, whether the GPUs are detected is decided
at the call: `Model(DIM, DEPTH, torch.cuda.device_count())` detects them, `Model(DIM, DEPTH, 2)`
does not. The expression is followed through local variables and function parameters; where
the trail is lost (a loop over several counts, `argparse`), the answer is `Unknown`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from grader.sandbox.slices import free_names, slice_for

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Passed:
    """An expression whose names can all be defined at module level by `setup`."""

    expression: ast.expr
    setup: tuple[ast.stmt, ...]

    @property
    def text(self) -> str:
        return ast.unparse(self.expression)


@dataclass(frozen=True)
class Unknown:
    """The script passes something, but it cannot be followed."""

    text: str


@dataclass(frozen=True)
class Call:
    """One call of a name, and the function it stands in (None at module level)."""

    node: ast.Call
    inside: _Function | None


def calls_of(tree: ast.Module, name: str) -> list[Call]:
    """All calls of `name` in the file, in order."""
    found: list[Call] = []

    def visit(node: ast.AST, inside: _Function | None) -> None:
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
            found.append(Call(node, inside))
        for child in ast.iter_child_nodes(node):
            visit(child, node if isinstance(node, _Function) else inside)

    visit(tree, None)
    return found


def argument(call: Call, name: str, position: int) -> ast.expr | None:
    """The expression passed for parameter `name` at `position` (self not counted)."""
    for keyword in call.node.keywords:
        if keyword.arg == name:
            return keyword.value
    positional = call.node.args
    if position < len(positional) and not any(isinstance(a, ast.Starred) for a in positional):
        return positional[position]
    return None


def passed_argument(
    tree: ast.Module, class_name: str, name: str, position: int
) -> Passed | Unknown | None:
    """What the script's calls of the class pass; None where no call passes anything."""
    calls = calls_of(tree, class_name)
    values = [(argument(call, name, position), call.inside) for call in calls]
    passed = [(value, inside) for value, inside in values if value is not None]
    if not passed:
        return None
    texts = [ast.unparse(value) for value, _ in passed]
    if len(passed) < len(values) or len({*zip(texts, (i for _, i in passed), strict=True)}) > 1:
        return Unknown(", ".join(dict.fromkeys(texts)))
    return _follow(tree, *passed[0])


def _follow(
    tree: ast.Module, expression: ast.expr, inside: _Function | None, depth: int = 0
) -> Passed | Unknown:
    """Trace the expression's local names to module level, through at most a few functions."""
    text = ast.unparse(expression)
    if depth > 4:
        return Unknown(text)
    names = free_names(expression)
    origins = {name: _origin(tree, name, inside) for name in sorted(names)}
    setup = slice_for(tree, {name for name in names if origins[name] is None}).body
    for name, origin in origins.items():
        if isinstance(origin, Unknown):
            return Unknown(text)
        if origin is not None:
            deeper = _follow(tree, *origin, depth + 1)
            if isinstance(deeper, Unknown):
                return Unknown(text)
            setup += [*deeper.setup, _assign(name, deeper.expression)]
    return Passed(expression, tuple(setup))


def _origin(
    tree: ast.Module, name: str, inside: _Function | None
) -> tuple[ast.expr, _Function | None] | Unknown | None:
    """Where a name gets its value: an expression and its scope; None for a global."""
    if inside is None:
        return None
    stores = [
        n
        for n in ast.walk(inside)
        if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
    ]
    assigns = [
        n.value
        for n in ast.walk(inside)
        if isinstance(n, ast.Assign)
        and len(n.targets) == 1
        and isinstance(n.targets[0], ast.Name)
        and n.targets[0].id == name
    ]
    if stores:
        return (assigns[0], inside) if len(stores) == len(assigns) == 1 else Unknown(name)
    if any(a.arg == name for a in _parameters(inside)):
        return _from_callers(tree, inside, name)
    return None


def _parameters(function: _Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _from_callers(
    tree: ast.Module, function: _Function, name: str
) -> tuple[ast.expr, _Function | None] | Unknown:
    """What the calls of a function pass for one of its parameters, else the default."""
    names = [a.arg for a in _parameters(function)]
    if names[0] in ("self", "cls"):
        return Unknown(name)  # which object it is called on is not followed
    calls = calls_of(tree, function.name)
    values = [(argument(call, name, names.index(name)), call.inside) for call in calls]
    default = _default(function, name)
    given = [(default, None) if value is None else (value, inside) for value, inside in values]
    first, inside = given[0] if given else (default, None)
    if first is None or len({(value and ast.dump(value), scope) for value, scope in given}) > 1:
        return Unknown(name)
    return first, inside


def _default(function: _Function, name: str) -> ast.expr | None:
    positional = [*function.args.posonlyargs, *function.args.args]
    defaults = function.args.defaults
    last = positional[len(positional) - len(defaults) :]
    keywords = zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    pairs = [*zip(last, defaults, strict=True), *keywords]
    return next((value for parameter, value in pairs if parameter.arg == name), None)


def _assign(name: str, value: ast.expr) -> ast.stmt:
    statement = ast.Assign([ast.Name(name, ast.Store())], value)
    return ast.fix_missing_locations(ast.copy_location(statement, value))
