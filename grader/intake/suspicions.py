"""What in a hand-in's source a person may want to look at: constructs, named by file and line.

For the instructor only. It is no verdict and moves no point: honest code may hold any of these,
and code that means to hide them can. Names are followed through imports and plain assignments
(`import torch as t; u = t.Tensor`), nothing is run.
"""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.intake.suspicious_names import ATTRIBUTES, DEFINITIONS, NAMES, STRINGS, WATCHED
from grader.memory_bound import memory_bound
from grader.notebook import NotANotebook, is_notebook, read_notebook

LONGEST_SOURCE = 200_000  # bytes of one file; homework is a few thousand
LONGEST_CODE = 1_000_000  # bytes of all files together
MOST_MEMORY = 256 << 20  # bytes; a tree takes 600 times as much as its source
MOST_LINES = 20
_LONGEST_NAME = 12  # parts of a dotted name that are followed
_LONGEST_SHOWN = 60

#: Files that Python or pytest run without being asked. Here nothing does.
_RUN_UNASKED = {"conftest", "sitecustomize", "usercustomize"}

Function = (ast.FunctionDef, ast.AsyncFunctionDef)


def suspicions(folder: Path, code: Sequence[Path]) -> tuple[str, ...]:
    """One line for each construct worth a look in `code` (relative to `folder`), 20 at most.

    A file that cannot be parsed gives nothing; one too large or deep for that is named.
    """
    found = [f"{file} has the name of a module that others import" for file in _shadowing(code)]
    left = LONGEST_CODE
    for file in code:
        try:
            with memory_bound(MOST_MEMORY):
                source = _source(folder / file)
                left -= len(source)
                large = len(source) > LONGEST_SOURCE or left < 0
                lines = [] if large else _in_source(source)
        except (MemoryError, RecursionError):
            large, lines = True, []
        if large:
            found.append(f"{file} is too large or too deep to be looked through")
        found += [f"{file}, line {line}: {what}" for line, what in lines]
    if len(found) > MOST_LINES:
        found[MOST_LINES - 1 :] = [f"and {len(found) - MOST_LINES + 1} more"]
    return tuple(found)


def _shadowing(code: Sequence[Path]) -> Iterator[Path]:
    """Files that an `import` of a module with that name could find instead of it."""
    honest = {"test", "code", "__main__"}  # of Python, but nobody imports them
    known = (sys.stdlib_module_names | WATCHED | _RUN_UNASKED) - honest
    for file in code:
        package = file.name == "__init__.py"
        if (file.parent.name if package else file.stem) in known:
            yield file


def _source(path: Path) -> bytes:
    """What would be run of a script or a notebook; of a large one, more than is looked through."""
    if not is_notebook(path):
        with path.open("rb") as file:
            return file.read(LONGEST_SOURCE + 1)
    try:
        return read_notebook(path.read_bytes()).code.encode()
    except NotANotebook:
        return b""


def _in_source(source: bytes) -> list[tuple[int, str]]:
    """Line and sentence, in order; each sentence once, where it first holds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of theirs, such as an invalid escape
            tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    names = Names(tree)
    first: dict[str, int] = {}
    for node in ast.walk(tree):
        for rule in RULES:
            for sentence in rule(node, names):
                line = getattr(node, "lineno", 1)
                first[sentence] = min(line, first.get(sentence, line))
    return sorted((line, sentence) for sentence, line in first.items())


class Names:
    """What the names in one file stand for, as dotted paths: `t` is `torch`."""

    def __init__(self, tree: ast.Module) -> None:
        self.known: dict[str, str] = {}
        self.free_port = False  # asks the system for a free port, as a launcher does
        self.classes: dict[ast.AST, ast.ClassDef] = {}  # of each statement of a class's body
        own: set[str] = set()
        assigned: list[ast.Assign] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self.known |= dict(_imported(node))
            elif isinstance(node, ast.ClassDef):
                self.classes |= dict.fromkeys(node.body, node)
            elif isinstance(node, Function) and node not in self.classes:
                own.add(node.name)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned.append(node)
            elif isinstance(node, ast.Attribute) and node.attr == "getsockname":
                self.free_port = True
        self._builtin = {"exec", "eval", "compile", "__import__", "getattr", "__builtins__"} - own
        for assign in sorted(assigned, key=lambda a: a.lineno):
            meant = self.dotted(assign.value)
            target = assign.targets[0]
            if meant is not None and isinstance(target, ast.Name):
                self.known.setdefault(target.id, meant)

    def dotted(self, node: ast.AST) -> str | None:
        """`torch.nn.Module` for `nn.Module`; None where it does not begin at a known name."""
        parts: list[str] = []
        while len(parts) < _LONGEST_NAME:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif isinstance(node, ast.Call) and (name := self._got(node)):
                parts.append(name)
                node = node.args[0]
            else:
                break
        if not isinstance(node, ast.Name):
            return None
        root = self.known.get(node.id, node.id if node.id in self._builtin else None)
        if root is None:
            return None
        return ".".join([root, *reversed(parts)])

    def _got(self, call: ast.Call) -> str | None:
        """The name in `getattr(object, "name")`."""
        if isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) > 1:
            return text_of(call.args[1])
        return None


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            yield alias.asname or alias.name, f"{'.' * node.level}{node.module or ''}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            top = alias.name.partition(".")[0]
            yield top, top


def text_of(node: ast.AST) -> str | None:
    """The string that a node is; None for any other expression."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


# ------------------------------------------------------------------ rules


def _named(dotted: str) -> Iterator[str]:
    """The sentence on a dotted name, or on the longest beginning of it that has one."""
    dotted = dotted.removeprefix("builtins.")
    while dotted:
        if dotted in NAMES:
            yield NAMES[dotted]
            return
        dotted = dotted.rpartition(".")[0]


def mentions(node: ast.AST, names: Names) -> Iterator[str]:
    """A name of the table, used or imported."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _named(alias.name)
    elif isinstance(node, ast.ImportFrom):
        for _, dotted in _imported(node):
            yield from _named(dotted)
    elif isinstance(node, ast.Attribute | ast.Name | ast.Call):
        yield from _named(names.dotted(node) or "")
        if isinstance(node, ast.Attribute) and node.attr in ATTRIBUTES:
            yield ATTRIBUTES[node.attr]


def holds_text(node: ast.AST, _: Names) -> Iterator[str]:
    """A string that names something of the grader's or of the system's."""
    text = text_of(node)
    if text is not None:
        yield from (sentence for pattern, sentence in STRINGS if pattern.match(text[:200]))


def replaces(node: ast.AST, names: Names) -> Iterator[str]:
    """`torch.allclose = ...`, `del json.dumps`, `setattr(torch, ...)`, `vars(torch)[...] = ...`."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        yield from _replaced(names.dotted(node))
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        inside, of = node.value, None
        if isinstance(inside, ast.Attribute) and inside.attr == "__dict__":
            of = names.dotted(inside.value)
        elif isinstance(inside, ast.Call) and _is_call_of(inside, "vars") and inside.args:
            of = names.dotted(inside.args[0])
        yield from _replaced(of and f"{of}.{text_of(node.slice) or '(computed)'}")
    elif isinstance(node, ast.Call) and len(node.args) > 1:
        if _is_call_of(node, "setattr") or _is_call_of(node, "delattr"):
            of = names.dotted(node.args[0])
            yield from _replaced(of and f"{of}.{text_of(node.args[1]) or '(computed)'}")


def _is_call_of(node: ast.Call, name: str) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == name


def _replaced(dotted: str | None) -> Iterator[str]:
    """A setting is no replacement: `torch.backends.cudnn.benchmark = True`."""
    parts = (dotted or "").split(".")
    settings = {"backends", "config", "rcParams", "argv", "stdout", "stderr", "path", "environ"}
    if len(parts) > 1 and parts[0] in WATCHED and not settings & set(parts):
        yield f"replaces {'.'.join(parts)[:_LONGEST_SHOWN]}"


def defines(node: ast.AST, names: Names) -> Iterator[str]:
    """A method with a meaning of its own, or an `__eq__` that says yes to everything."""
    if node in names.classes:
        for name, value in _bound(node):
            if name in DEFINITIONS:
                yield DEFINITIONS[name]
            if name == "__eq__" and _is_always_true(value):
                yield "defines an __eq__ that is always true"


def _bound(item: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What a statement of a class body defines, and as what."""
    if isinstance(item, Function):
        yield item.name, item
    elif isinstance(item, ast.Assign):
        yield from ((t.id, item.value) for t in item.targets if isinstance(t, ast.Name))


def _is_always_true(value: ast.AST) -> bool:
    if isinstance(value, ast.Lambda):
        returned: ast.AST | None = value.body
    else:
        body = [s for s in getattr(value, "body", []) if not isinstance(s, ast.Expr)]
        returned = body[0].value if len(body) == 1 and isinstance(body[0], ast.Return) else None
    return isinstance(returned, ast.Constant) and returned.value is True


def claims_device(node: ast.AST, names: Names) -> Iterator[str]:
    """A class that says itself where it is; `return next(self.parameters()).device` is asking."""
    if node not in names.classes:
        return
    bases = [names.dotted(base) or "" for base in names.classes[node].bases]
    tensor = any(base.endswith((".Tensor", ".Parameter")) for base in bases)
    for name, value in _bound(node):
        if tensor and name in ("device", "get_device", "is_cuda"):
            yield f"a tensor class with a {name} of its own"
        elif name == "device" and bases and _is_property(value) and not _asks(value):
            yield "a class with a device property of its own"


def _is_property(value: ast.AST) -> bool:
    if isinstance(value, Function):
        return any(isinstance(d, ast.Name) and d.id == "property" for d in value.decorator_list)
    return isinstance(value, ast.Call) and _is_call_of(value, "property")


def _asks(value: ast.AST) -> bool:
    """Whether all that it returns is a device that something else has."""
    returned = [n.value for n in ast.walk(value) if isinstance(n, ast.Return)]
    return bool(returned) and all(
        isinstance(r, ast.Attribute) and r.attr.strip("_").endswith(("device", "dev"))
        for r in returned
    )


_HARMLESS_PROGRAMS = ("nvidia-smi", "clear", "cls", "lscpu", "hostname", "uname")


def starts_program(node: ast.AST, names: Names) -> Iterator[str]:
    """Another program, unless it is one that only shows something."""
    if not isinstance(node, ast.Call):
        return
    called = names.dotted(node.func) or ""
    if called.startswith("subprocess.") or called in ("os.system", "os.popen"):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.List | ast.Tuple) and first.elts:
            first = first.elts[0]
        text = (text_of(first) if first else None) or ""
        words = text.split()
        if not words or words[0] not in _HARMLESS_PROGRAMS or set(text) & set(";|&`$><\n"):
            yield f"starts another program ({called})"


def writes_descriptor(node: ast.AST, names: Names) -> Iterator[str]:
    """`os.write(5, ...)` and `open(5, "wb")`; 1 and 2 are what one prints to."""
    if not isinstance(node, ast.Call) or not node.args:
        return
    number = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
    if names.dotted(node.func) == "os.write" and number not in (1, 2):
        yield "writes to a file descriptor"
    if _is_call_of(node, "open") and isinstance(number, int):
        yield "opens a file descriptor by number"


def opens_socket(node: ast.AST, names: Names) -> Iterator[str]:
    """A socket; asking the system for a free port is what launchers do."""
    if isinstance(node, ast.Call) and not names.free_port:
        if names.dotted(node.func) in ("socket.socket", "socket.create_connection"):
            yield "opens a network connection (socket)"


def imports_computed(node: ast.AST, names: Names) -> Iterator[str]:
    """`importlib.import_module(x)`; with a plain string it is an import like any other."""
    importers = ("importlib.import_module", "__import__")
    if isinstance(node, ast.Call) and names.dotted(node.func) in importers and node.args:
        text = text_of(node.args[0])
        if text is None:
            yield "imports a module whose name is computed"
        else:
            yield from _named(text)


RULES = (
    *(mentions, holds_text, replaces, defines, claims_device),
    *(starts_program, writes_descriptor, opens_socket, imports_computed),
)
