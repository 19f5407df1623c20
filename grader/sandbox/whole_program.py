"""Runs a program of the hand-in as its author would, with data, and notes what it does."""

from __future__ import annotations

import ast
import os
import random
import sys
import types
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import multiprocessing
from torch.optim.optimizer import register_optimizer_step_post_hook

from grader import vgpu
from grader.program import Program
from grader.sandbox import asked
from grader.sandbox.changed import Changes, changed
from grader.sandbox.faults import InterfaceGap, StudentFault, described
from grader.sandbox.imports import open_folder
from grader.sandbox.source import Roles, parse
from grader.sandbox.watching import Watch
from grader.sandbox.whole_script import parts_of
from grader.vgpu import ranks, runtime

_LISTED = 20_000  # ops, and transfers, that are told one by one


class _Enough(BaseException):
    """It made as many steps as are wanted."""


def run(
    folder: Path,
    file: Path,
    *,
    arguments: Sequence[str] = (),
    roles: Roles,
    changes: Changes,
    seed: int,
    same: bool = False,
    steps: int | None = None,
    watch: Watch | None = None,
) -> Program:
    """Run one file to its end, with the `changes` that are asked for.

    Of several ranks each draws numbers of its own, unless it seeds them alike. With `same`,
    whatever seed it asks for is `seed`, so that all ranks draw the same numbers.
    After so many `steps` of optimizers it is ended, as if by its own.
    Raises InterfaceGap where it cannot be run, or has nothing that could be changed.
    """
    try:
        tree = parse(folder / file, file)
    except StudentFault as fault:
        return Program(str(file), runtime.settings().count, vgpu.trace(), problem=_told(fault))
    tree = changed(tree, changes, roles, file)
    asked.answer(roles.role, changes.sizes)
    _refuse_to_spawn()
    watch = watch or Watch(folder)
    watch.install()
    _seed(seed if same else seed + (ranks.rank() or 0))
    if same:
        _seed_always(seed)
    if steps is not None:
        _end_after(steps)
    vgpu.reset()
    problem, code = _execute(folder, file, tree, arguments)
    if isinstance(problem, InterfaceGap):
        raise problem
    settings = runtime.settings()
    return Program(
        file=str(file),
        gpus=settings.count,
        trace=watch.trace().beginning(_LISTED),
        calls=list(watch.calls),
        events=list(watch.events),
        timeline=vgpu.timeline() if settings.simulates_time else None,
        joined=watch.joined(),
        problem=None if problem is None else _told(problem),
        code=code,
        rank=ranks.rank(),
        options=asked.options(),
    )


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    random.seed(seed)
    if (numpy := sys.modules.get("numpy")) is not None:
        numpy.random.seed(seed % 2**32)


def _seed_always(seed: int) -> None:
    """Whatever seed the code asks for, of torch, Python or NumPy, is this one."""
    owners: list[Any] = [torch, torch.random, torch.cuda, random]
    owners += [numpy.random] if (numpy := sys.modules.get("numpy")) is not None else []
    for owner in owners:
        for name in ("manual_seed", "manual_seed_all", "seed", "default_rng"):
            if (function := getattr(owner, name, None)) is not None:
                setattr(owner, name, partial(_seeded, function, seed))


def _seeded(function: Callable[[int], Any], seed: int, *_: object, **__: object) -> Any:
    return function(seed)


def _end_after(steps: int) -> None:
    left = [None] * steps

    def stepped(*_: object) -> None:
        left.pop()
        if not left:
            raise _Enough

    register_optimizer_step_post_hook(stepped)


def _refuse_to_spawn() -> None:
    """What a program does in processes that it starts itself is not seen."""

    def spawn(*_: object, **__: object) -> NoReturn:
        raise InterfaceGap("it starts its processes itself (mp.spawn), and these are not seen")

    for name in ("spawn", "start_processes"):
        setattr(multiprocessing, name, spawn)


def _execute(
    folder: Path, file: Path, tree: ast.Module, arguments: Sequence[str]
) -> tuple[StudentFault | InterfaceGap | None, str | None]:
    """The mistake at which it ended, or what it gave to sys.exit()."""
    path = folder / file
    os.chdir(path.parent)
    open_folder(path.parent)
    sys.argv = [str(path), *arguments]
    module = types.ModuleType("__main__")
    vars(module)["__file__"] = str(path)
    sys.modules["__main__"] = module
    for part in parts_of(tree, path):
        try:
            exec(compile(part, str(path), "exec"), vars(module))  # noqa: S102
        except SystemExit as error:
            return None, None if error.code in (None, 0) else str(error.code)
        except _Enough:
            return None, None
        except BaseException as error:
            if isinstance(error, MemoryError) or "allocate memory" in str(error):
                return InterfaceGap("there is not enough memory here for its sizes"), None
            return described(error, folder), None
    return None, None


def _told(fault: StudentFault) -> str:
    return f"{fault.message} ({fault.where})" if fault.where else fault.message
