"""The ways to read a script so that its model class can be used.

What a student runs is the script, and what is graded is the class in it. Where the file only
defines things, importing it is enough. Where it trains as well, the class is cut out; that may
leave behind what the class needs, so there is a second way, and a failure counts as the
student's only where both end in the same place.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from dataclasses import dataclass

from grader.sandbox.faults import InterfaceGap
from grader.sandbox.slices import (
    is_main_guard,
    needed_names,
    set_by_functions,
    slice_for,
    works_at_import,
)
from grader.sandbox.source import ModelSite, Roles, Vocabulary


@dataclass(frozen=True)
class Reading:
    """Statements to execute, and the `__name__` that they see; None: the module's own."""

    tree: ast.Module
    name: str | None = None

    def __post_init__(self) -> None:
        ast.fix_missing_locations(self.tree)


def readings(site: ModelSite) -> list[Reading]:
    """How to read the file of a class, best way first; one or two.

    Raises InterfaceGap where the class needs what only a function that we do not call sets.
    """
    tree = site.tree
    elsewhere = set_by_functions(tree, site.name)
    if elsewhere:
        raise InterfaceGap(
            f"{site.name} uses {', '.join(sorted(elsewhere))}, which only a function sets that "
            "is not part of the class"
        )
    part = Reading(slice_for(tree, {site.name}))
    where = _where(site)
    if where == "function":
        return [part]
    if where == "module" and not works_at_import(tree) and not _needs_guard(site):
        return [Reading(tree), part]
    return [part, Reading(tree, "__main__")]


def _where(site: ModelSite) -> str:
    """Whether the class stands at "module" level, under the main "guard" or in a "function"."""
    for place, statements in (("module", site.tree.body), ("guard", _guarded(site.tree))):
        if any(isinstance(s, ast.ClassDef) and s.name == site.name for s in statements):
            return place
    return "function"


def _guarded(tree: ast.Module) -> list[ast.stmt]:
    """Statements under the main guard, those of blocks included."""
    nodes = (n for guard in tree.body if is_main_guard(guard) for n in ast.walk(guard))
    return [node for node in nodes if isinstance(node, ast.stmt)]


def _needs_guard(site: ModelSite) -> bool:
    """Whether the class uses what is assigned under the main guard."""
    needed = needed_names(site.tree, {site.name})
    stored = {
        n.id
        for s in _guarded(site.tree)
        for n in ast.walk(s)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    return bool(stored & needed)


# ------------------------------------------------------------------ constants


def with_sizes(
    tree: ast.Module, words: Roles | Vocabulary, sizes: Mapping[str, int]
) -> tuple[ast.Module, dict[str, str]]:
    """The tree with constants such as DIM = 8192 replaced, and the role of each.

    What a script computes from them (layers per GPU, say) then fits the model that is built.
    """
    replacing = _Sizes(words, sizes)
    definitions = {id(node): node for node in tree.body if isinstance(node, _KEPT)}
    # What is in the memo is not copied: definitions, which are most of a file, stay as they are.
    return replacing.visit(copy.deepcopy(tree, definitions)), replacing.replaced


_KEPT = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class _Sizes(ast.NodeTransformer):
    """Replaces whole-number constants of a known role, outside functions and classes."""

    def __init__(self, words: Roles | Vocabulary, sizes: Mapping[str, int]) -> None:
        self.words = words
        self.sizes = sizes
        self.replaced: dict[str, str] = {}  # name -> role

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            if len(target.elts) == len(node.value.elts):
                pairs = zip(target.elts, node.value.elts, strict=True)
                node.value.elts = [self._sized(name, value) for name, value in pairs]
        else:
            node.value = self._sized(target, node.value)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self._sized(node.target, node.value)
        return node

    def _sized(self, target: ast.expr, value: ast.expr) -> ast.expr:
        if not isinstance(target, ast.Name) or not _is_whole_number(value):
            return value
        role = self.words.role(target.id)
        if role is None or role not in self.sizes:
            return value
        self.replaced[target.id] = role
        return ast.copy_location(ast.Constant(self.sizes[role]), value)


def _is_whole_number(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) is int
