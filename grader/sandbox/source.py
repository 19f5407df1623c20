"""Reads student source without running it: where the model class is, and what must not run.

Everything here works on the syntax tree. `Vocabulary` carries the assignment's words, so no
name of any assignment occurs in this package.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from grader.records import Json
from grader.sandbox.faults import ImportFault, InterfaceGap


@dataclass(frozen=True)
class Vocabulary:
    """How students of an assignment call the model class and its parameters."""

    class_name: str
    width: tuple[str, ...]
    depth: tuple[str, ...]
    gpus: tuple[str, ...]
    devices: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Json) -> Vocabulary:
        return cls(
            data["class_name"],
            *(tuple(data[key]) for key in ("width", "depth", "gpus", "devices")),
        )

    def role(self, name: str) -> str | None:
        """The role of a parameter ("width", "depth", "gpus", "devices") by its name, or None."""
        plain = re.sub(r"[^a-z]", "", name.lower())
        for role in ("width", "depth", "gpus", "devices"):
            if plain in {re.sub(r"[^a-z]", "", word.lower()) for word in getattr(self, role)}:
                return role
        return None


@dataclass(frozen=True)
class ModelSite:
    """The class to be graded, and the file it stands in (relative to the hand-in)."""

    file: Path
    name: str
    tree: ast.Module


def parse(path: Path, shown: Path) -> ast.Module:
    """Parse one file; an ImportFault names file and line where that is impossible."""
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        where = f"{shown}, line {error.lineno}" if error.lineno else str(shown)
        if error.lineno and error.text:
            where += f": {error.text.strip()}"
        raise ImportFault(f"SyntaxError: {error.msg}", where=where) from error
    except ValueError as error:
        raise ImportFault(f"{shown} is not a text file: {error}", where=str(shown)) from error
    except (RecursionError, MemoryError) as error:
        raise ImportFault(f"{shown} is nested too deeply to be read", where=str(shown)) from error


def find_model(folder: Path, files: list[Path], words: Vocabulary) -> ModelSite:
    """The one class to grade among `files` (relative to `folder`).

    By name first, else the one `nn.Module` that takes a width and a depth. Of several files
    that define it, the one that asks how many GPUs there are; otherwise InterfaceGap, for a
    person. An ImportFault is raised only where no readable file holds the class.
    """
    faults: list[ImportFault] = []
    trees: list[tuple[Path, ast.Module]] = []
    for file in files:
        try:
            trees.append((file, parse(folder / file, file)))
        except ImportFault as fault:
            faults.append(fault)
    named = [
        ModelSite(file, words.class_name, tree)
        for file, tree in trees
        if any(c.name == words.class_name for c in _classes(tree))
    ]
    sites = named or [
        ModelSite(file, c.name, tree)
        for file, tree in trees
        for c in _classes(tree)
        if _is_module(c, tree) and _takes_width_and_depth(c, words)
    ]
    if not sites and faults:
        raise faults[0]
    if not sites:
        raise InterfaceGap(
            f"no class {words.class_name} was found, and no other nn.Module that takes a width "
            f"and a depth, in {', '.join(map(str, files))}"
        )
    return _the_one(sites)


def _the_one(sites: list[ModelSite]) -> ModelSite:
    if len(sites) > 1:
        dynamic = [s for s in sites if "device_count" in ast.unparse(s.tree)]
        sites = dynamic or sites
    if len({(s.name, ast.dump(s.tree)) for s in sites}) > 1:
        listed = ", ".join(f"{s.name} in {s.file}" for s in sites)
        raise InterfaceGap(f"several classes could be the one to grade: {listed}")
    return sites[0]


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _is_module(node: ast.ClassDef, tree: ast.Module) -> bool:
    local = {c.name: c for c in _classes(tree)}
    for base in map(ast.unparse, node.bases):
        if base.split(".")[-1] == "Module":
            return True
        if base in local and base != node.name and _is_module(local[base], tree):
            return True
    return False


def _takes_width_and_depth(node: ast.ClassDef, words: Vocabulary) -> bool:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            roles = {words.role(a.arg) for a in [*item.args.args, *item.args.kwonlyargs]}
            return {"width", "depth"} <= roles
    return False


def pinned_devices(tree: ast.Module) -> str | None:
    """What the script sets CUDA_VISIBLE_DEVICES to, as written; None where it does not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Subscript) and _is_pin(target.slice):
                    return ast.unparse(node.value)
        if isinstance(node, ast.Call) and node.args and _is_pin(node.args[0]):
            if ast.unparse(node.func).endswith(("putenv", "setdefault")) and len(node.args) > 1:
                return ast.unparse(node.args[1])
    return None


def _is_pin(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value == "CUDA_VISIBLE_DEVICES"
