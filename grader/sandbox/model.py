"""Builds the student's model class for any width, depth and number of GPUs.

Inside the worker only. A build is either an `nn.Module`, a `StudentFault` (their code failed)
or an `InterfaceGap` (we do not know how to call it).
"""

from __future__ import annotations

import ast
import inspect
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from grader.records import Json
from grader.sandbox.call_site import Passed, Unknown, argument, calls_of, passed_argument
from grader.sandbox.faults import ImportFault, InterfaceGap, StudentFault, student_fault
from grader.sandbox.slices import slice_for, works_at_import
from grader.sandbox.source import ModelSite, Vocabulary, find_model, pinned_devices


@dataclass
class Build:
    """A built model and what was learnt on the way."""

    model: nn.Module
    site: ModelSite
    gpu_argument: Json | None

    def describe(self) -> Json:
        """What the judge needs to draw weights and to recompute: shapes and layers by name."""
        return {
            "class": self.site.name,
            "file": str(self.site.file),
            "pinned": pinned_devices(self.site.tree),
            "gpu_argument": self.gpu_argument,
            "parameters": [[n, list(p.shape)] for n, p in self.model.named_parameters()],
            "modules": [[n, _kind(m)] for n, m in self.model.named_modules() if _is_leaf(m)],
        }


def build(
    folder: Path, files: list[Path], words: Vocabulary, *, width: int, depth: int, gpus: int
) -> Build:
    """Load the hand-in's model class and construct it. Raises StudentFault or InterfaceGap."""
    site = find_model(folder, files, words)
    namespace = _load(site, folder, words, {"width": width, "depth": depth})
    cls = namespace.get(site.name)
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        raise InterfaceGap(f"{site.name} in {site.file} is not a class derived from nn.Module")
    binder = _Binder(site, words, namespace, {"width": width, "depth": depth, "gpus": gpus})
    arguments = binder.bind(cls)
    try:
        model = cls(**arguments)
    except BaseException as error:
        raise student_fault(error, folder) from error
    return Build(model, site, binder.gpu_argument)


# ------------------------------------------------------------------ loading


def _load(
    site: ModelSite, folder: Path, words: Vocabulary, sizes: dict[str, int]
) -> dict[str, Any]:
    """Run the file, or only what the class needs of it, and return its names.

    Constants such as DIM = 8192 get the sizes of this build, so that what the script computes
    from them (layers per GPU, say) fits the model that is built.
    """
    tree = _with_sizes(site.tree, words, sizes)
    needed = slice_for(tree, {site.name})
    at_module_level = any(isinstance(n, ast.ClassDef) and n.name == site.name for n in tree.body)
    attempts = [needed, tree]
    if at_module_level and not works_at_import(tree):
        attempts.reverse()
    first: BaseException | None = None
    for attempt in attempts:
        try:
            return _run(attempt, site, folder)
        except BaseException as error:
            first = first or error
            if attempt is tree and not isinstance(error, ImportError):
                break  # the file as it stands fails, and not for want of a package
    assert first is not None
    fault = student_fault(first, folder)
    if isinstance(first, ModuleNotFoundError) and not _hand_in_has(folder, first.name):
        raise InterfaceGap(f"{site.file} needs the package {first.name!r}, which is not here")
    raise ImportFault(fault.message, where=fault.where, details=fault.details) from first


def _run(tree: ast.Module, site: ModelSite, folder: Path) -> dict[str, Any]:
    path = folder / site.file
    module = types.ModuleType(site.file.stem)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    code = compile(ast.fix_missing_locations(tree), str(path), "exec")
    exec(code, module.__dict__)  # noqa: S102 - running it is what we are here for
    return module.__dict__


def _with_sizes(tree: ast.Module, words: Vocabulary, sizes: dict[str, int]) -> ast.Module:
    """The tree with whole-number constants of a known role replaced, at module level."""
    changed = ast.Module(body=list(tree.body), type_ignores=[])
    for position, node in enumerate(tree.body):
        if (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
            and type(node.value.value) is int
            and (role := words.role(node.targets[0].id)) in sizes
        ):
            value = ast.copy_location(ast.Constant(sizes[role]), node.value)
            changed.body[position] = ast.copy_location(ast.Assign(node.targets, value), node)
    return changed


def _hand_in_has(folder: Path, module: str | None) -> bool:
    top = (module or "").split(".")[0]
    return (folder / f"{top}.py").exists() or (folder / top).is_dir()


# ------------------------------------------------------------------ calling the constructor


class _Binder:
    """Finds a value for every parameter that the constructor needs."""

    def __init__(
        self, site: ModelSite, words: Vocabulary, namespace: dict[str, Any], sizes: dict[str, int]
    ) -> None:
        self.site = site
        self.words = words
        self.namespace = namespace
        self.sizes = sizes
        self.gpu_argument: Json | None = None

    def bind(self, cls: type) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        for position, parameter in enumerate(inspect.signature(cls).parameters.values()):
            if parameter.kind not in plain:
                continue
            required = parameter.default is inspect.Parameter.empty
            role = self.words.role(parameter.name) or self._role_at_call(parameter.name, position)
            if role in ("width", "depth"):
                arguments[parameter.name] = self.sizes[role]
            elif role in ("gpus", "devices"):
                self._bind_gpus(arguments, parameter.name, position, role, required)
            elif required:
                raise InterfaceGap(
                    f"{cls.__name__}.__init__ needs {parameter.name!r}, and we do not know what "
                    "to pass for it"
                )
        return arguments

    def _role_at_call(self, name: str, position: int) -> str | None:
        """The role of what the script passes there: Model(DIM, DEPTH) says it by its names."""
        for call in calls_of(self.site.tree, self.site.name):
            expression = argument(call, name, position)
            if isinstance(expression, ast.Name):
                return self.words.role(expression.id)
        return None

    def _bind_gpus(
        self, arguments: dict[str, Any], name: str, position: int, role: str, required: bool
    ) -> None:
        count = self.sizes["gpus"]
        passed = passed_argument(self.site.tree, self.site.name, name, position)
        if passed is None and not required:
            return  # the class looks for itself
        by, text = "grader", passed.text if passed else ""
        value: Any = count if role == "gpus" else [torch.device("cuda", i) for i in range(count)]
        if isinstance(passed, Passed):
            try:
                value = self._evaluate(passed)
                by = "script"
            except StudentFault as fault:
                passed = Unknown(f"{text} ({fault.message})")
        arguments[name] = value
        self.gpu_argument = {"parameter": name, "text": text, "by": by}

    def _evaluate(self, passed: Passed) -> Any:
        names = dict(self.namespace)
        setup = ast.Module(body=list(passed.setup), type_ignores=[])
        try:
            exec(compile(ast.fix_missing_locations(setup), "<script>", "exec"), names)  # noqa: S102
            return eval(  # noqa: S307
                compile(ast.Expression(passed.expression), "<script>", "eval"), names
            )
        except BaseException as error:
            raise StudentFault(f"{type(error).__name__}: {error}") from error


# ------------------------------------------------------------------ weights


def load_weights(model: nn.Module, weights: list[torch.Tensor]) -> None:
    """Give the parameters, in the order of `named_parameters`, these values."""
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), weights, strict=True):
            parameter.copy_(value)


def _is_leaf(module: nn.Module) -> bool:
    return not any(True for _ in module.children())


def _kind(module: nn.Module) -> str:
    return type(module).__name__ if type(module).__module__.startswith("torch.nn") else "other"
