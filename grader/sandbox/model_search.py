"""Finds the one class to grade among a hand-in's files."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from grader.notebook import is_notebook
from grader.sandbox.faults import ImportFault, InterfaceGap
from grader.sandbox.readings import with_sizes
from grader.sandbox.slices import slice_for
from grader.sandbox.source import ModelSite, Vocabulary, is_text, parse

MOST = 5  # classes that differ; more are for a person


def find_models(folder: Path, files: Sequence[Path], words: Vocabulary) -> list[ModelSite]:
    """The class to grade among `files` (relative to `folder`), in each way in which it is written.

    By name, or the one `nn.Module` that takes a width and a depth; those that ask how many GPUs
    there are come before the base code, which does not. Of several that differ, as in a script
    for each task, whoever asks must see that they do the same. InterfaceGap where there is none.
    Files that cannot be read matter only where no other holds the class: then ImportFault or
    InterfaceGap.
    """
    problems: list[ImportFault | InterfaceGap] = []
    sites: list[ModelSite] = []
    for file in files:
        try:
            tree = parse(folder / file, file)
        except (ImportFault, InterfaceGap) as problem:
            problems.append(problem)
        else:
            sites += _candidates(file, tree, words)
    if not sites and problems:
        raise problems[0]
    if not sites and words.only:
        raise InterfaceGap(
            f"class.toml names the class {words.only}, which is not in {_listed(folder, files)}"
        )
    if not sites:
        raise InterfaceGap(
            f"no class {words.class_name} was found, and no other nn.Module that takes a width "
            f"and a depth, in {_listed(folder, files)}"
        )
    return _different(sites, words)


def _listed(folder: Path, files: Sequence[Path]) -> str:
    texts = (
        str(file)
        if is_notebook(file) or is_text((folder / file).read_bytes())
        else f"{file}, which is not UTF-8 text"
        for file in files
    )
    return "; ".join(texts)[:300]


def _candidates(file: Path, tree: ast.Module, words: Vocabulary) -> list[ModelSite]:
    names = {c.name: None for c in _classes(tree) if _may_be_meant(c, tree, words)}
    return [ModelSite(file, name, tree) for name in names]


def _may_be_meant(node: ast.ClassDef, tree: ast.Module, words: Vocabulary) -> bool:
    if words.only:
        return node.name == words.only
    right = node.name == words.class_name
    return right or (_is_module(node, tree) and _takes_width_and_depth(node, words))


def _different(sites: list[ModelSite], words: Vocabulary) -> list[ModelSite]:
    """Of the classes that ask for GPUs, else of the right name, else of all: one of each gist."""
    named = [s for s in sites if s.name == words.class_name]
    asking = [s for s in sites if "device_count" in ast.unparse(slice_for(s.tree, {s.name}))]
    chosen = [s for s in named if s in asking] or asking or named or sites
    if len(chosen) > 1:
        scripts = [s for s in chosen if "device_count" in ast.unparse(s.tree)]
        chosen = scripts or chosen
    gists: dict[tuple[str, str], ModelSite] = {}
    for site in chosen:
        gists.setdefault((site.name, _gist(site, words)), site)
    different = list(gists.values())
    if len(different) > MOST:
        listed = ", ".join(f"{s.name} in {s.file}" for s in different)
        raise InterfaceGap(f"several classes could be the one to grade: {listed[:300]}")
    return different


def _gist(site: ModelSite, words: Vocabulary) -> str:
    """What the class is, whatever DIM and DEPTH its script sets: several scripts may share it."""
    tree, _ = with_sizes(slice_for(site.tree, {site.name}), words, {"width": 1, "depth": 1})
    return ast.dump(tree)


def _classes(tree: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]


def _is_module(node: ast.ClassDef, tree: ast.Module) -> bool:
    """Whether the class derives from nn.Module, directly or through others of the file."""
    local = {c.name: c for c in _classes(tree)}
    seen: set[str] = set()
    bases = [ast.unparse(base) for base in node.bases]
    while bases:
        base = bases.pop()
        if base.split(".")[-1] == "Module":
            return True
        if base in local and base not in seen:
            seen.add(base)
            bases += [ast.unparse(b) for b in local[base].bases]
    return False


def _takes_width_and_depth(node: ast.ClassDef, words: Vocabulary) -> bool:
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            names = [a.arg for a in [*item.args.args, *item.args.kwonlyargs]]
            return {"width", "depth"} <= words.roles(names)
    return False
