"""Which file of a hand-in is the script that a check asks for."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

from grader.checking.expect import NeedsPerson, NotHandedIn
from grader.intake.suspicions import LONGEST_SOURCE, MOST_MEMORY
from grader.memory_bound import memory_bound
from grader.notebook import ENDING, NotANotebook, read_notebook
from grader.rubric import Script
from grader.sandbox.readings import with_sizes
from grader.sandbox.slices import is_main_guard, works_at_import
from grader.sandbox.source import Roles


def choose(script: Script, folder: Path, files: Sequence[Path]) -> Path:
    """The file that is `script`: by the names that stand in it, then by its own name.

    Files that only define what others import are none. Raises NeedsPerson where several could be
    it, NotHandedIn where an optional one is missing.
    """
    if not files:
        raise NeedsPerson("no Python script and no notebook was handed in")
    trees = {file: _tree(folder / file) for file in files}
    left = [file for file in files if _does_something(trees[file])] or list(files)
    left = [file for file in left if _fits(script, names_in(trees[file]))] or left
    left = [file for file in left if not _called(script.others, file)] or left
    if script.optional and not any(_called(script.names, file) for file in left):
        raise NotHandedIn(f"no file is called {' or '.join(script.names)}")
    for name in script.names:
        if len(left) > 1:
            left = [file for file in left if _called([name], file)] or left
            left = [file for file in left if _plain(name) == _plain(file.stem)] or left
    if len({_but_for_constants(script, file, trees[file]) for file in left}) > 1:
        listed = ", ".join(map(str, left[:4]))
        wanted = " or ".join(script.names)
        raise NeedsPerson(f"which file is {script.id}? {listed} could be it; expected {wanted}")
    return left[0]


def _tree(path: Path) -> ast.Module | None:
    """A file's code; None where it cannot be read within limits: it is a student's."""
    try:
        if path.stat().st_size > LONGEST_SOURCE:
            return None
        content = path.read_bytes()
        with memory_bound(MOST_MEMORY):
            return ast.parse(read_notebook(content).code if path.suffix == ENDING else content)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError, NotANotebook):
        return None


def _does_something(tree: ast.Module | None) -> bool:
    return tree is None or works_at_import(tree) or any(map(is_main_guard, tree.body))


def names_in(tree: ast.Module | None) -> frozenset[str]:
    """All names and attributes in a file; none where it cannot be read."""
    if tree is None:
        return frozenset()
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.name.rpartition(".")[2] for alias in node.names}
    return frozenset(found)


def _fits(script: Script, names: frozenset[str]) -> bool:
    """Whether all names stand in it that should, and none that should not."""
    return bool(script.says or script.never) and (
        names >= set(script.says) and not names & set(script.never)
    )


def _called(names: Sequence[str], file: Path) -> bool:
    return any(_plain(name) in _plain(file.stem) for name in names)


def _but_for_constants(script: Script, file: Path, tree: ast.Module | None) -> str:
    """A file's code with the script's own constants, which checks change, all 0."""
    if tree is None:
        return str(file)
    try:
        sized, _ = with_sizes(tree, Roles(script.words), dict.fromkeys(script.words, 0))
        return ast.dump(sized)
    except RecursionError:
        return str(file)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
