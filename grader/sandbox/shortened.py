"""What makes a script that trains short: loops end, gradients are not computed, nothing runs twice.

The script itself stays as its author wrote it, up to the names that its loops are given.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

from grader.vgpu import recorder

MOST = 200  # rounds of a loop that trains

FEW, ROUNDS = "__few__", "__rounds__"  # what the loops of a shortened script call


@dataclass
class Rounds:
    """Ends loops that train, and notes that it did."""

    cut: bool = False
    backwards: int = 0  # so far
    graph: bool = False  # the last of them began at something that has gradients

    def few(self, iterable: Iterable[Any]) -> Iterator[Any]:
        go_on = self.counter()
        for item in iterable:
            if not go_on():
                return
            yield item

    def counter(self) -> Callable[[], bool]:
        """Asked before each round: whether another may follow."""
        seen, trained = self.backwards, 0

        def go_on() -> bool:
            nonlocal seen, trained
            trained += self.backwards > seen
            seen = self.backwards
            self.cut = self.cut or trained >= MOST
            return trained < MOST

        return go_on


@contextmanager
def without_gradients(rounds: Rounds) -> Iterator[None]:
    """Count calls of backward() and do nothing more: where layers run is known by then."""

    def backward(tensors: torch.Tensor | Sequence[torch.Tensor], *_: object, **__: object) -> None:
        rounds.backwards += 1
        every = [tensors] if isinstance(tensors, torch.Tensor) else tensors
        rounds.graph = any(one.requires_grad for one in every)

    before = torch.Tensor.backward, torch.autograd.backward
    setattr(torch.Tensor, "backward", backward)  # noqa: B010 - other types than torch's
    setattr(torch.autograd, "backward", backward)  # noqa: B010
    try:
        yield
    finally:
        torch.Tensor.backward, torch.autograd.backward = before  # type: ignore[method-assign]


@contextmanager
def once() -> Iterator[None]:
    """Let an outermost module run once in the same way; then its output says what comes."""
    call = nn.Module.__call__
    known: WeakKeyDictionary[nn.Module, dict[object, torch.Tensor]] = WeakKeyDictionary()

    @functools.wraps(call)
    def replayed(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        if recorder.here.where.forward is not None:
            return call(self, *args, **kwargs)
        key = (_like(args), _like(kwargs.values()), _like(self.parameters()), self.training)
        seen = known.setdefault(self, {}).get(key)
        if seen is not None:
            return torch.empty_like(seen).requires_grad_(seen.requires_grad)
        output = call(self, *args, **kwargs)
        if isinstance(output, torch.Tensor):
            known[self][key] = output.detach().requires_grad_(output.requires_grad)
        return output

    setattr(nn.Module, "__call__", replayed)  # noqa: B010 - it is a method to mypy
    try:
        yield
    finally:
        setattr(nn.Module, "__call__", call)  # noqa: B010


def _like(values: Iterable[Any]) -> tuple[object, ...]:
    """What two calls have in common that do the same: where the tensors are, and their shapes."""
    return tuple(
        (tuple(v.shape), str(v.device), v.dtype) if isinstance(v, torch.Tensor) else repr(type(v))
        for v in values
    )


class _Shortening(ast.NodeTransformer):
    """for x in y -> for x in few(y); while x -> counter = rounds(); while counter() and x."""

    def __init__(self) -> None:
        self.loops = 0

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = _call(FEW, node.iter)
        return node

    def visit_While(self, node: ast.While) -> list[ast.stmt]:
        self.generic_visit(node)
        self.loops += 1
        name = f"{ROUNDS}{self.loops}"
        node.test = ast.BoolOp(ast.And(), [_call(name), node.test])
        return [ast.Assign([ast.Name(name, ast.Store())], _call(ROUNDS)), node]


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def shortened(tree: ast.Module) -> ast.Module:
    shortened: ast.Module = _Shortening().visit(copy.deepcopy(tree))
    return ast.fix_missing_locations(shortened)
