"""Writes behaviours.md: what virtual GPUs are tested to do, a line for each test.

    python docs/make_behaviours.py

A test holds the page to the tests.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ROOT / "tests" / "vgpu"
FOLDERS = ("behaviours", "per_device", "clock/simulated")
PROGRAMS = "programs"
PAGE = Path(__file__).with_name("behaviours.md")


def page() -> str:
    """The whole page: one section per file of tests, one line per behaviour."""
    sections = [
        section(file) for folder in FOLDERS for file in sorted((TESTS / folder).glob("test_*.py"))
    ]
    sections += [section(file) for file in sorted((TESTS / PROGRAMS).glob("*.py"))]
    count = sum(len(lines) for _, lines in sections)
    text = [
        "# What virtual GPUs are tested to do",
        "",
        f"{count} behaviours, each a test that compares a value or CUDA's own message; many run on",
        "a table of cases. They run in one process on five virtual GPUs",
        "(`pytest tests/vgpu/test_behaviours.py`), programs of several processes under `torchrun`",
        "and `mp.spawn` (`pytest tests/vgpu/test_programs.py`).",
        "",
    ]
    for title, lines in sections:
        if lines:
            text += [f"## {title}", "", *(f"- {line}" for line in lines), ""]
    return "\n".join(text)


def section(file: Path) -> tuple[str, list[str]]:
    """What a file is about (its docstring's first line), and its behaviours as sentences."""
    tree = ast.parse(file.read_text("utf-8"))
    title = (ast.get_docstring(tree) or file.stem).splitlines()[0].rstrip(".")
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    prefixes = ("test_", "case_")
    return title, [
        name.partition("_")[2].replace("_", " ") for name in names if name.startswith(prefixes)
    ]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
