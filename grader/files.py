"""Files that are written whole: nobody ever reads half of one, whatever is killed in between."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

_TEMPORARY = ".part"


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that is renamed into place when it is complete, so nobody ever reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_TEMPORARY)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that `whole_file` did not come to rename."""
    return name.startswith(".") and name.endswith(_TEMPORARY)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole: see `whole_file`."""
    with whole_file(path) as file:
        file.write(data)


def write_json(path: Path, data: Any) -> None:
    """As `write_bytes`, for strict JSON: NaN and infinity become null."""
    text = json.dumps(_finite(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # A lone surrogate, as from a file name that is not UTF-8, becomes a JSON escape.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return value
