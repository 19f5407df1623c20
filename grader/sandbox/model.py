"""Builds the student's model class for any width, depth and number of GPUs.

Inside the worker only. The result is a `Build`, or a `StudentFault` (their code failed), or an
`InterfaceGap` (we do not know how to use it).
"""

from __future__ import annotations

import ast
import functools
import inspect
import os
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_module_registration_hook

from grader.errors import shortened
from grader.notebook import Notebook
from grader.records import Json
from grader.sandbox import asked, stand_ins
from grader.sandbox.arguments import Binder
from grader.sandbox.faults import ImportFault, InterfaceGap, StudentFault, described
from grader.sandbox.imports import open_folder
from grader.sandbox.model_search import find_models
from grader.sandbox.places import NOTEBOOKS
from grader.sandbox.placing import lines_of
from grader.sandbox.readings import Reading, readings, with_sizes
from grader.sandbox.slices import needed_names
from grader.sandbox.source import ModelSite, Vocabulary, pinned_devices
from grader.sandbox.spots import spots
from grader.trace import HOST

#: A worker builds the same files again and again, for other sizes.
_sites = functools.cache(find_models)
_ways = functools.cache(readings)
_pin = functools.cache(pinned_devices)

_LONGEST_NOTE = 400  # characters


@dataclass
class Build:
    """A built model and what was learnt on the way."""

    model: nn.Module
    sites: list[ModelSite]  # all that could be it
    site: ModelSite
    gpu_argument: Json | None
    folder: Path
    order: dict[int, int]  # when a module, by its id, was first made part of another one

    def describe(self) -> Json:
        """What the judge needs to draw weights and to recompute: shapes and layers by name.

        Leaf modules come in the order in which the code put them together: layers that are
        kept in one list per GPU still run in the order in which they were made.
        """
        try:
            parameters = [[n, list(p.shape)] for n, p in self.model.named_parameters()]
        except Exception as error:  # lazy layers have no shape before their first input
            raise InterfaceGap(f"the model's parameters cannot be listed: {error}") from error
        return {
            "notes": notes_on(self.folder / self.site.file, self.site.tree),
            "gpu_argument": self.gpu_argument,
            "asked": sorted(set(asked.given().values())),
            "sites": [f"{site.name} in {site.file}" for site in self.sites],
            "parameters": parameters,
            "modules": [[name, _kind(module)] for name, module in self._leaves()],
            "placement": [_home(weight) for weight in self._weights()],
            "places": {"placed": lines_of(self._weights(), self.folder)}
            | spots(self.site.tree, self.site.name, self.site.file, self.folder),
        }

    def _weights(self) -> list[nn.Parameter]:
        """The first weight matrix of each layer."""
        return weights_of(module for _, module in self._leaves())

    def _leaves(self) -> list[tuple[str, nn.Module]]:
        names = dict(self.model.named_modules())
        leaves = [(n, m) for n, m in names.items() if next(m.children(), None) is None]
        return sorted(leaves, key=lambda leaf: self._joined(names, leaf[0]))

    def _joined(self, names: dict[str, nn.Module], path: str) -> int:
        """When a leaf joined; a copy joins with the module around it."""
        while path:
            if (time := self.order.get(id(names[path]))) is not None:
                return time
            path = path.rpartition(".")[0]
        return 0


def sites_of(folder: Path, files: Sequence[Path], words: Vocabulary) -> list[ModelSite]:
    """The class to grade, as each file writes it. Raises ImportFault or InterfaceGap."""
    return _sites(folder, tuple(files), words)


def notes_on(path: Path, tree: ast.Module) -> list[str]:
    """What was done differently from what a file says."""
    notes = []
    if (pinned := _pin(tree)) is not None:
        notes.append(f"the script sets CUDA_VISIBLE_DEVICES to {pinned}; ignored here")
    if notebook := NOTEBOOKS.get(str(path)):
        notes.append(_told(path.name, notebook))
    if packages := stand_ins.used():
        notes.append(f"{', '.join(packages)}: replaced by stand-ins that do nothing")
    return [*notes, *asked.given()]


def build(
    folder: Path,
    files: list[Path],
    words: Vocabulary,
    *,
    width: int,
    depth: int,
    gpus: int,
    reading: int = 0,
    choice: int = 0,
) -> Build:
    """Load the hand-in's model class and construct it, reading its file the first or second way.

    `choice` is which of `sites_of`.

    Raises StudentFault or InterfaceGap.
    """
    sites = sites_of(folder, files, words)
    site = sites[min(choice, len(sites) - 1)]
    ways = _ways(site)
    if reading >= len(ways):
        raise InterfaceGap(f"there is no other way to read {site.file}")
    sizes = {"width": width, "depth": depth}
    asked.answer(words.role, sizes | {"gpus": gpus})
    namespace, known = _load(ways[reading], site, folder, words, sizes)
    cls = namespace.get(site.name)
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        raise InterfaceGap(f"{site.name} in {site.file} is not a class derived from nn.Module")
    binder = Binder(site, words, namespace, sizes | {"gpus": gpus})
    bound = binder.bind(cls)
    if missing := {"width", "depth"} - binder.roles - known:
        raise InterfaceGap(f"{site.name} takes no {' and no '.join(sorted(missing))}")
    with _watching_order() as order:
        try:
            model = cls(*bound.args, **bound.kwargs)
        except BaseException as error:
            raise described(error, folder) from error
    return Build(model, sites, site, binder.gpu_argument, folder, order)


@contextmanager
def _watching_order() -> Iterator[dict[int, int]]:
    """Note when each module is first made part of another one: {id: number}."""
    order: dict[int, int] = {}
    alive: list[nn.Module] = []  # an id is unique only while its module lives

    def note(_: nn.Module, __: str, module: nn.Module | None) -> None:
        if module is not None:
            alive.append(module)
            order.setdefault(id(module), len(alive))

    handle = register_module_module_registration_hook(note)
    try:
        yield order
    finally:
        handle.remove()


# ------------------------------------------------------------------ loading


def _load(
    reading: Reading, site: ModelSite, folder: Path, words: Vocabulary, sizes: dict[str, int]
) -> tuple[dict[str, Any], set[str]]:
    """Execute what is to be read; its names, and the roles of constants that the class uses.

    Where it does not work with our sizes (a table that knows 6, 12 and 24 layers, say), the
    constants stay as they are.
    """
    sized, replaced = with_sizes(reading.tree, words, sizes)
    needed = needed_names(site.tree, {site.name})
    roles = {role for name, role in replaced.items() if name in needed}
    attempts: list[tuple[ast.Module, set[str]]] = [(sized, roles)]
    if replaced and reading.name is None:
        attempts.append((reading.tree, set()))
    first: BaseException | None = None
    for tree, known in attempts:
        try:
            return _run(tree, reading.name, folder / site.file), known
        except BaseException as error:
            first = first or error
    assert first is not None
    fault = described(first, folder)
    if isinstance(fault, StudentFault):
        whole = reading.tree is site.tree
        fault = ImportFault(
            fault.message, where=fault.where, details=fault.details, as_it_stands=whole
        )
    raise fault from first


def _run(tree: ast.Module, name: str | None, path: Path) -> dict[str, Any]:
    """Execute the statements as Python would run the script: from its own folder."""
    os.chdir(path.parent)
    open_folder(path.parent)
    module = types.ModuleType(name or _module_name(path))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    code = compile(tree, str(path), "exec")
    exec(code, module.__dict__)  # noqa: S102 - running it is what we are here for
    return module.__dict__


def _module_name(path: Path) -> str:
    """The file's name as a module, unless a file called random.py would hide the real one."""
    known = sys.modules.get(path.stem)
    own = known is not None and getattr(known, "__file__", None) == str(path)
    free = known is None and path.stem not in sys.stdlib_module_names
    return path.stem if own or free else f"submission_{path.stem}"


# ------------------------------------------------------------------ weights


def load_weights(model: nn.Module, weights: list[torch.Tensor]) -> None:
    """Give the parameters, in the order of `named_parameters`, these values."""
    try:
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), weights, strict=True):
                parameter.copy_(value)
    except Exception as error:  # parameters of an unusual kind
        raise InterfaceGap(f"the model's parameters cannot be given values: {error}") from error


def _told(file: str, notebook: Notebook) -> str:
    text = f"{file} was read as its code cells, in order"
    left_out = shortened("; ".join(notebook.dropped), _LONGEST_NOTE)
    return f"{text}; left out: {left_out}" if left_out else text


def weights_of(modules: Iterable[nn.Module]) -> list[nn.Parameter]:
    """The first weight matrix that each of these has of its own; nothing of what has none."""
    matrices = ([p for p in m.parameters(recurse=False) if p.dim() > 1] for m in modules)
    return [own[0] for own in matrices if own]


def _home(weight: nn.Parameter) -> int:
    """The GPU that holds a layer's weights, or `HOST`."""
    return HOST if weight.device.type == "cpu" else int(weight.device.index or 0)


def _kind(module: nn.Module) -> str:
    return type(module).__name__ if type(module).__module__.startswith("torch.nn") else "other"
