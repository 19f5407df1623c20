"""The corpus as a class: forty authors who knew nothing of each other, on one base code."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

from grader.assignment import find
from grader.grading.similar import given
from grader.intake import code_text
from grader.intake.hand_in import scan
from grader.intake.report_files import report_files
from grader.intake.report_reader import read
from grader.similarity import Given, HandedIn

CORPUS = Path(__file__).parents[1] / "corpus"


@functools.cache
def starter() -> Given:
    return given(find("hw3"))


@functools.cache
def hand_in(name: str) -> HandedIn:
    files = scan(CORPUS / name / "files")
    code = [file for file in files.files if file.suffix in (".py", ".ipynb")]
    reports = report_files(files.folder, files.files, "hw3")
    pages = read(files.folder / reports[0]).get("pages", ())
    return HandedIn(name, code_text(files.folder, code), tuple(pages))


@functools.cache
def everybody() -> tuple[HandedIn, ...]:
    return tuple(hand_in(path.parent.name) for path in sorted(CORPUS.glob("*/truth.toml")))


# ---------------------------------------------------------------------- copies


class _Renaming(ast.NodeTransformer):
    """Other names for variables and parameters; methods in another order."""

    def __init__(self, names: set[str]) -> None:
        self.names = {name: f"other_{number}" for number, name in enumerate(sorted(names))}

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        node.body.reverse()
        return node


def disguised(text: str) -> str:
    """The same program with other names and another layout, without comments, functions moved."""
    tree = ast.parse(text)
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and type(n.ctx) is ast.Store}
    arguments = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)} - {"self"}
    tree = _Renaming(stored | arguments).visit(tree)
    blocks = [node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    rest = [node for node in tree.body if node not in blocks]
    tree.body = [*rest[:-1], *reversed(blocks), *rest[-1:]]
    return ast.unparse(tree)
