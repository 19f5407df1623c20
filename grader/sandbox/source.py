"""Student source as a syntax tree, and the words in which it is written.

Everything here works on the syntax tree. `Vocabulary` carries the assignment's words, so no
name of any assignment occurs in this package.
"""

from __future__ import annotations

import ast
import functools
import io
import linecache
import re
import tokenize
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.notebook import NotANotebook, is_notebook, read_notebook
from grader.records import Json
from grader.sandbox.faults import ImportFault, InterfaceGap
from grader.sandbox.given import Given
from grader.sandbox.places import NOTEBOOKS

MAX_SOURCE = 1 << 20  # bytes; a syntax tree takes 600 times as much memory


class Roles:
    """What names mean: the words of each role. Of two roles with one word, the last counts."""

    def __init__(self, words: Mapping[str, Iterable[str]]) -> None:
        self.names = {role: tuple(some) for role, some in words.items()}
        self._roles = {_plain(word): role for role, some in self.names.items() for word in some}

    def role(self, name: str) -> str | None:
        """The role of a name, compared without case, digits and underscores; or None."""
        return self._roles.get(_plain(name))


@dataclass(frozen=True)
class Vocabulary:
    """How students of an assignment call the model class and its parameters.

    Of one hand-in an instructor may have said more: `only` is the class that is meant, `given`
    are values for its parameters.
    """

    class_name: str
    width: tuple[str, ...]
    depth: tuple[str, ...]
    gpus: tuple[str, ...]
    devices: tuple[str, ...]
    only: str | None = None
    given: Given = field(default_factory=Given)

    @classmethod
    def from_json(cls, data: Json) -> Vocabulary:
        words = {key: tuple(data[key]) for key in ("width", "depth", "gpus", "devices")}
        given = Given.of(data["given"])
        return cls(data["class_name"], **words, only=data["only"], given=given)

    def role(self, name: str) -> str | None:
        """The role of a parameter ("width", "depth", "gpus", "devices") by its name, or None.

        A parameter that is given a value has no role but the one which that value is.
        """
        if name in self.given.names():
            return self.given.role(name)
        return self._roles.role(name)

    def roles(self, names: Collection[str]) -> set[str]:
        """All roles that parameters of these names have, those within their values too."""
        found = {role for name in names if (role := self.role(name))}
        return found.union(*(self.given.roles(n) for n in names if n in self.given.names()))

    @functools.cached_property
    def _roles(self) -> Roles:
        order = ("devices", "gpus", "depth", "width")
        return Roles({role: getattr(self, role) for role in order})


def _plain(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


@dataclass(frozen=True)
class ModelSite:
    """The class to be graded, and the file it stands in (relative to the hand-in)."""

    file: Path
    name: str
    tree: ast.Module


def parse(path: Path, shown: Path) -> ast.Module:
    """Parse one file. Raises ImportFault with file and line, or InterfaceGap where it is no text.

    Python cannot read a file of another encoding either, but its author's Python could: it
    was changed on the way. Where only comments are affected, it is read all the same.
    """
    source = path.read_bytes()
    parsed = _parse_notebook if is_notebook(path) else _parse_script
    tree = parsed(source, path, shown)
    if any(_is_huge(node) for node in ast.walk(tree)):
        raise InterfaceGap(f"{shown} holds a number of thousands of digits")
    return tree


def _is_huge(node: ast.AST) -> bool:
    """A number that Python does not write out as text, and so no tree that holds it."""
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value >> 10_000 > 0


def _parse_script(source: bytes, path: Path, shown: Path) -> ast.Module:
    if len(source) > MAX_SOURCE:
        raise InterfaceGap(f"{shown} is larger than {MAX_SOURCE >> 20} MB, too large for a script")
    try:
        return ast.parse(source, filename=str(path))
    except SyntaxError as error:
        if error.lineno is None or b"\0" in source or not is_text(source):
            raise InterfaceGap(f"{shown} is not UTF-8 text ({error.msg})") from error
        where = f"{shown}, line {error.lineno}"
        where += f": {error.text.strip()}" if error.text else ""
        message = f"{type(error).__name__}: {error.msg}"
        raise ImportFault(message, where=where, as_it_stands=True) from error
    except ValueError as error:
        raise InterfaceGap(f"{shown} is not a text file ({error})") from error
    except (RecursionError, MemoryError) as error:
        problem = f"{shown} is nested too deeply to be read"
        raise ImportFault(problem, where=str(shown), as_it_stands=True) from error


def _parse_notebook(content: bytes, path: Path, shown: Path) -> ast.Module:
    try:
        notebook = read_notebook(content)
    except NotANotebook as error:
        raise InterfaceGap(f"{shown} cannot be read as a notebook: it is {error}") from error
    NOTEBOOKS[str(path)] = notebook
    lines = [f"{line}\n" for line in notebook.code.split("\n")]
    linecache.cache[str(path)] = (len(notebook.code), None, lines, str(path))
    return ast.parse(notebook.code)


def is_text(source: bytes) -> bool:
    """Whether the bytes are UTF-8, or of the encoding that they declare."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        source.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError):  # LookupError: base64 is no encoding of text
        return False
    return True


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
