"""Runs a script of the hand-in whole, without data, and says what its model did.

Changed is, whatever the names: the model's depth becomes ours, in the constants of the script and
in the call of the class. What was seen is not done again: a module that is called once more in the
same way gives another output like its last, and backward() does nothing. A loop that trains for
hundreds of rounds is cut short, a script that still goes on ends when its time is over.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import os
import signal
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from grader import vgpu
from grader.records import Json
from grader.sandbox import asked, places
from grader.sandbox.faults import InterfaceGap, StudentFault, described
from grader.sandbox.imports import open_folder
from grader.sandbox.model import notes_on, sites_of, weights_of
from grader.sandbox.places import NOTEBOOKS
from grader.sandbox.placing import lines_of
from grader.sandbox.readings import with_sizes
from grader.sandbox.shortened import FEW, ROUNDS, Rounds, once, shortened, without_gradients
from grader.sandbox.slices import is_main_guard, works_at_import
from grader.sandbox.source import ModelSite, Vocabulary, parse
from grader.sandbox.spots import calls_of
from grader.trace import Trace
from grader.vgpu import recorder

SECONDS = 3.0  # of processor time, for one script
WAYS = 12  # different ways of one model that are told


class _Enough(BaseException):
    """The time for one script is over."""


@dataclass
class Ran:
    """What a run of one script came to.

    `cut` says that it was not let run to its end, `replicated` that torch copied the whole model
    to several GPUs (nn.DataParallel), `trained` that an optimizer of all its parameters made a
    step after a backward pass. `placed` are the lines that put the layers where they ran last.
    """

    file: Path
    trace: Trace
    cut: bool
    problem: StudentFault | InterfaceGap | None
    replicated: bool
    trained: bool = False
    notes: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)

    def facts(self) -> Json:
        return {
            "file": str(self.file),
            "trace": self.trace.to_json(),
            "cut": self.cut,
            "replicated": self.replicated,
            "trained": self.trained,
            "asked": bool(asked.given()),
            "notes": self.notes,
            "placed": self.placed,
            "problem": None if self.problem is None else self.problem.to_json(),
            "gap": isinstance(self.problem, InterfaceGap),
        }


def run(
    folder: Path,
    files: list[Path],
    words: Vocabulary,
    *,
    scripts: list[Path],
    depth: int,
    gpus: int,
    choice: int = 0,
) -> Ran:
    """Run the script that uses the model class: its own, else one that imports it.

    Raises InterfaceGap where there is none, or none in which a model ran.
    """
    sites = sites_of(folder, files, words)
    site = sites[min(choice, len(sites) - 1)]
    sizes = {"depth": depth, "gpus": gpus}
    asked.answer(words.role, sizes)
    last: Ran | None = None
    for file, tree in _scripts(folder, scripts, site):
        sized, _ = with_sizes(tree, words, {"depth": depth})
        last = _run(folder, file, sized, site, words, depth)
        if isinstance(last.problem, InterfaceGap) and not last.trace.ops and _reads_argv(tree):
            arguments = asked.arguments(sizes)
            last = _run(folder, file, sized, site, words, depth, arguments)
        if last.trace.ops:
            return last
    if last is None:
        raise InterfaceGap(f"no script was found that runs {site.name}")
    if isinstance(last.problem, InterfaceGap):
        raise last.problem
    if last.problem is not None:
        return last
    raise InterfaceGap(f"{last.file} ran, and no {site.name} in it")


def _scripts(folder: Path, files: list[Path], site: ModelSite) -> Iterator[tuple[Path, ast.Module]]:
    """The class's own file where it does something, then those that import it."""
    if _runs(site.tree):
        yield site.file, site.tree
    for file in files:
        if file == site.file:
            continue
        try:
            tree = parse(folder / file, file)
        except (StudentFault, InterfaceGap):
            continue  # it is not this one
        if _runs(tree) and _imports(tree, site.file.stem):
            yield file, tree


def _runs(tree: ast.Module) -> bool:
    return works_at_import(tree) or any(map(is_main_guard, tree.body))


def _reads_argv(tree: ast.Module) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr == "argv" for n in ast.walk(tree))


def _imports(tree: ast.Module, module: str) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        if any(module in name.split(".") for name in names):
            return True
    return False


# ------------------------------------------------------------------ one run


def _run(
    folder: Path,
    file: Path,
    tree: ast.Module,
    site: ModelSite,
    words: Vocabulary,
    depth: int,
    arguments: Sequence[str] = (),
) -> Ran:
    path = folder / file
    os.chdir(path.parent)
    open_folder(path.parent)
    sys.argv = [str(path), *arguments]
    rounds = Rounds()
    module = types.ModuleType("__main__")
    vars(module).update({"__file__": str(path), FEW: rounds.few, ROUNDS: rounds.counter})
    sys.modules["__main__"] = module
    problem: StudentFault | InterfaceGap | None = None
    vgpu.reset()
    defined = _Definition.of(folder, site)
    with (
        _watched(defined, words, depth, folder) as model,
        without_gradients(rounds),
        _steps_seen(model, rounds),
        once(),
    ):
        try:
            with _time_limit():
                problem = _execute(parts_of(shortened(tree), path), module, rounds, folder)
        except _Enough:
            rounds.cut = True
    seen = vgpu.trace().with_lines(functools.partial(places.named, folder=folder))
    return Ran(
        file,
        _distinct(seen, model.forwards),
        rounds.cut,
        problem,
        model.replicated,
        model.trained,
        notes_on(path, tree),
        _placed(model, tree, path, folder),
    )


def _placed(model: _Model, tree: ast.Module, path: Path, folder: Path) -> list[str]:
    """The lines that put the layers where they ran last, or that copy all of them."""
    if model.replicated:
        lines = calls_of(tree, "DataParallel")
        return [places.place(str(path), line, folder) for line in lines]
    return model.placed


def _execute(
    parts: Iterable[ast.Module], module: types.ModuleType, rounds: Rounds, folder: Path
) -> StudentFault | InterfaceGap | None:
    """Run one part after the other; the first mistake, and where it is theirs, no further.

    Cells of a notebook run on, as in Jupyter. So does a script of which a loop was cut: what
    fails then, `sum(times[5:]) / len(times[5:])` say, may be our doing.
    """
    first: StudentFault | InterfaceGap | None = None
    for part in parts:
        try:
            exec(compile(part, str(module.__file__), "exec"), module.__dict__)  # noqa: S102
        except _Enough:
            raise
        except SystemExit as error:
            if error.code in (None, 0) and not rounds.cut:
                return first
        except BaseException as error:
            if rounds.cut:
                continue
            first = first or described(error, folder)
            if str(module.__file__) not in NOTEBOOKS:
                return first
    return first


def parts_of(tree: ast.Module, path: Path) -> Iterator[ast.Module]:
    """What is executed one after the other: cells of a notebook, or statements of a script.

    Those under the main guard are among them.
    """
    notebook = NOTEBOOKS.get(str(path))
    if notebook is None:
        for statement in tree.body:
            opened = statement.body if is_main_guard(statement) else [statement]  # type: ignore[attr-defined]
            for one in opened:
                yield ast.Module([one], [])
        return
    cells: dict[int, list[ast.stmt]] = {}
    for statement in tree.body:
        cells.setdefault(notebook.place(statement.lineno)[0], []).append(statement)
    for cell in cells.values():
        yield ast.Module(cell, [])


@contextmanager
def _time_limit() -> Iterator[None]:
    def end(*_: object) -> None:
        raise _Enough

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _distinct(trace: Trace, forwards: Iterable[int]) -> Trace:
    """Of the model's forward passes one of each way, in the order in which they first ran."""
    wanted = set(forwards)
    ways: dict[object, int] = {}
    for one, way in trace.ways().items():
        if one in wanted:
            ways.setdefault(way, one)
    return trace.only(list(ways.values())[-WAYS:])


# ------------------------------------------------------------------ the model


@dataclass(frozen=True)
class _Definition:
    """The definition that is graded: a script may define its class again, under the same name."""

    name: str
    file: str
    line: int

    @classmethod
    def of(cls, folder: Path, site: ModelSite) -> _Definition:
        nodes = [n for n in ast.walk(site.tree) if isinstance(n, ast.ClassDef)]
        last = max((n for n in nodes if n.name == site.name), key=lambda n: n.lineno)
        first = min([last.lineno, *(d.lineno for d in last.decorator_list)])
        return cls(site.name, str(folder / site.file), first)


@dataclass
class _Model:
    """The forward passes in which the model's class was at work, by their numbers."""

    forwards: dict[int, None] = field(default_factory=dict)
    replicated: bool = False
    trained: bool = False
    made: WeakSet[nn.Module] = field(default_factory=WeakSet)
    placed: list[str] = field(default_factory=list)  # lines that put its layers where they ran last


@contextmanager
def _watched(defined: _Definition, words: Vocabulary, depth: int, folder: Path) -> Iterator[_Model]:
    """Give every model of the class our depth, wherever it is defined from now on."""
    model = _Model()
    build_class = builtins.__build_class__

    def building(body: Any, called: str, /, *bases: Any, **keywords: Any) -> Any:
        cls = build_class(body, called, *bases, **keywords)
        code = body.__code__
        here = (called, code.co_filename, code.co_firstlineno)
        if here == (defined.name, defined.file, defined.line) and issubclass(cls, nn.Module):
            _wrap(cls, model, words, depth, folder)
        return cls

    builtins.__build_class__ = building
    try:
        yield model
    finally:
        builtins.__build_class__ = build_class


@contextmanager
def _steps_seen(model: _Model, rounds: Rounds) -> Iterator[None]:
    """Note that a model trains: an optimizer of all its parameters steps, by gradients."""

    def stepped(optimizer: torch.optim.Optimizer, *_: object) -> None:
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        trains = any({id(p) for p in one.parameters()} <= held for one in model.made)
        model.trained = model.trained or (rounds.graph and trains)

    handle = register_optimizer_step_post_hook(stepped)
    try:
        yield
    finally:
        handle.remove()


def _wrap(cls: type[nn.Module], model: _Model, words: Vocabulary, depth: int, folder: Path) -> None:
    init, forward = cls.__init__, cls.forward
    signature = inspect.signature(init)
    takes = [name for name in signature.parameters if words.role(name) == "depth"]

    @functools.wraps(init)
    def sized(self: nn.Module, *args: Any, **kwargs: Any) -> None:
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError:
            init(self, *args, **kwargs)  # which says it better
            return
        bound.arguments |= dict.fromkeys(takes, depth)
        init(*bound.args, **bound.kwargs)
        model.made.add(self)

    @functools.wraps(forward)
    def noted(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
        model.replicated = model.replicated or getattr(self, "_is_replica", False)
        number = recorder.here.where.forward
        if number is not None:
            model.forwards[number] = None
            with suppress(Exception):  # of a module that is odd; the script goes on
                model.placed = lines_of(weights_of(nn.Module.modules(self)), folder)
        return forward(self, *args, **kwargs)

    cls.__init__ = sized  # type: ignore[method-assign]
    cls.forward = noted
