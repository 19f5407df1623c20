"""Can Python read this source at all? Asked without running any of it."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from pathlib import Path

from grader.intake.names import readable

MAX_BYTES = 2 * 2**20


def check_source(path: Path) -> str | None:
    """One line for the student on why `path` is no Python source, or None if it is.

    Encoding cookies (PEP 263) are honoured, as Python itself does.
    """
    name = readable(path.name)
    try:
        source = path.read_bytes()
    except OSError as error:
        return f"{name} cannot be read ({error.strerror})"
    if len(source) > MAX_BYTES:
        return f"{name} is too large for a script ({len(source) >> 20} MB)"
    try:
        with warnings.catch_warnings():  # of doubtful escapes and the like: not our matter
            warnings.simplefilter("ignore")
            compile(_decoded(source), name, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at position {error.start}"
        encoding = error.encoding.upper()
        return f"{name} is not {encoding} text ({found}); save it as UTF-8"
    except SyntaxError as error:
        return _located(name, error)
    except (RecursionError, MemoryError):
        return f"{name} is nested too deeply for Python to read"
    except ValueError as error:
        return f"{name} cannot be read as Python: {error}"
    return None


def _decoded(source: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError as error:
        if error.msg.startswith("unknown encoding"):
            raise
        encoding = "utf-8"  # the decoding below says which byte is wrong
    return source.decode(encoding)


def _located(name: str, error: SyntaxError) -> str:
    place = name if error.lineno is None else f"{name}, line {error.lineno}"
    line = (error.text or "").strip()
    return f"{place}: {error.msg}" + (f": {line[:80]}" if line else "")
