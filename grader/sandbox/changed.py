"""A program's source with what a check wants changed in it: constants, numbers, expressions."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.sandbox.faults import InterfaceGap
from grader.sandbox.readings import with_sizes
from grader.sandbox.source import Roles

_ANY = "_"  # in an expression to be rewritten: whatever stands there


@dataclass(frozen=True)
class Changes:
    """What becomes of a program.

    Constants get the `sizes` of their roles; of `values`, each whole number becomes another. Each
    expression of `rewrites` that stands in it becomes the other, where `_` is any expression, the
    same on both sides: {"f'cuda:{_ + 2}'": "f'cuda:{_}'"}.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[int, int] = field(default_factory=dict)
    rewrites: Mapping[str, str] = field(default_factory=dict)


def _named(word: str, roles: Roles) -> str:
    """What was looked for, with some of the names under which it was: "batch (BATCH_SIZE, bs)"."""
    names = list(roles.names.get(word, ()))[:3]
    return f"{word} ({', '.join(names)})" if names else word


def changed(tree: ast.Module, changes: Changes, roles: Roles, file: Path) -> ast.Module:
    """The tree with all changes. Raises InterfaceGap where there is nothing to be changed."""
    tree, replaced = with_sizes(tree, roles, changes.sizes)
    missing = changes.sizes.keys() - set(replaced.values())
    if missing:
        everywhere = _Sizes(roles, {role: changes.sizes[role] for role in missing})
        tree = everywhere.visit(tree)
        missing -= everywhere.found
    values = _Values(changes.values)
    tree = values.visit(tree)
    missing |= {str(value) for value in changes.values.keys() - values.found}
    if missing:
        told = " and ".join(_named(word, roles) for word in sorted(missing))
        raise InterfaceGap(f"{file} has no constant for {told}")
    if changes.rewrites:
        rewriting = _Rewriting(changes.rewrites)
        tree = rewriting.visit(tree)
        if not rewriting.found:
            raise InterfaceGap(f"{file} has nothing like {next(iter(changes.rewrites))}")
    return ast.fix_missing_locations(tree)


class _Sizes(ast.NodeTransformer):
    """Replaces whole-number constants of a role within functions, and what options default to."""

    def __init__(self, roles: Roles, sizes: Mapping[str, int]) -> None:
        self.roles, self.sizes, self.found = roles, sizes, set[str]()

    def _sized(self, name: str, value: ast.expr | None) -> ast.expr | None:
        role = self.roles.role(name)
        if role is None or role not in self.sizes or not isinstance(value, ast.Constant):
            return value
        if type(value.value) is not int:
            return value
        self.found.add(role)
        return ast.copy_location(ast.Constant(self.sizes[role]), value)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if isinstance(node.targets[0], ast.Name):
            node.value = self._sized(node.targets[0].id, node.value) or node.value
        return self.generic_visit(node)

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        """Of `def main(micro_batches=4)`."""
        named = [*node.posonlyargs, *node.args]
        defaults = zip(named[len(named) - len(node.defaults) :], node.defaults, strict=True)
        node.defaults = [self._sized(name.arg, value) or value for name, value in defaults]
        keywords = zip(node.kwonlyargs, node.kw_defaults, strict=True)
        node.kw_defaults = [self._sized(name.arg, value) for name, value in keywords]
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Of `parser.add_argument("--micro-batches", default=4)`."""
        if isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            names = [a.value for a in node.args if isinstance(a, ast.Constant)]
            for keyword in node.keywords:
                if keyword.arg == "default" and names:
                    value = self._sized(str(names[-1]), keyword.value)
                    keyword.value = value or keyword.value
        return self.generic_visit(node)


class _Values(ast.NodeTransformer):
    """Puts other whole numbers in the place of some."""

    def __init__(self, values: Mapping[int, int]) -> None:
        self.values, self.found = values, set[int]()

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        if type(node.value) is not int or node.value not in self.values:
            return node
        self.found.add(node.value)
        return ast.copy_location(ast.Constant(self.values[node.value]), node)


# ------------------------------------------------------------------ expressions


class _Rewriting(ast.NodeTransformer):
    """Puts other expressions in the place of some."""

    def __init__(self, rewrites: Mapping[str, str]) -> None:
        self.rewrites = [(_expression(old), _expression(new)) for old, new in rewrites.items()]
        self.found = False

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for old, new in self.rewrites:
            held: list[ast.expr] = []
            if isinstance(node, ast.expr) and _is_like(node, old, held):
                self.found = True
                filled: ast.expr = _Filling(held).visit(copy.deepcopy(new))
                return ast.copy_location(filled, node)
        return super().generic_visit(node)


class _Filling(ast.NodeTransformer):
    def __init__(self, held: list[ast.expr]) -> None:
        self.held = held

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.held[0] if node.id == _ANY and self.held else node


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _is_like(node: object, pattern: object, held: list[ast.expr]) -> bool:
    """Whether a part of a tree is like a pattern; what `_` stands for is put into `held`."""
    if isinstance(pattern, ast.Name) and pattern.id == _ANY and isinstance(node, ast.expr):
        held.append(node)
        return ast.dump(node) == ast.dump(held[0])
    if isinstance(pattern, ast.AST):
        return type(node) is type(pattern) and all(
            _is_like(getattr(node, name, None), getattr(pattern, name, None), held)
            for name in pattern._fields
            if name != "ctx"
        )
    if isinstance(pattern, list):
        return (
            isinstance(node, list)
            and len(node) == len(pattern)
            and all(_is_like(*pair, held) for pair in zip(node, pattern, strict=True))
        )
    return node == pattern
