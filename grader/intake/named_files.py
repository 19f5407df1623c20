"""The files of a hand-in that class.toml names, found in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePath, PurePosixPath

from grader.intake.entry import Entry
from grader.intake.hand_in import HandIn
from grader.intake.names import readable
from grader.notebook import ENDING

#: Endings of files that hold code.
CODE = (".py", ENDING)

_SHOWN = 8
_CLASS = re.compile(r"\bclass\s+([^\W\d]\w*)\s*[(:]")
_NAMED_CLASS = re.compile(r"(.+):([^\W\d]\w*)")


@dataclass
class NamedFiles:
    """Files by what they are, the class that is meant in each, and what is named but not there."""

    found: dict[str, Path] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def named_files(entry: Entry, files: HandIn, within: PurePath) -> NamedFiles:
    """Look for them, with or without the folders that the hand-in is packed in (`within`).

    A class may follow the name of a file: `final/hw3.py:MyNet`.
    """
    by_name = {readable(file.as_posix()): file for file in files.files}
    named = NamedFiles()
    for what, said in entry.files.items():
        parts = _NAMED_CLASS.fullmatch(said)
        if (file := _find(said, by_name, within)) is not None:
            named.found[what] = file
        elif parts is not None and (file := _find(parts[1], by_name, within)) is not None:
            named.found[what], named.classes[what] = file, parts[2]
        else:
            named.missing[what] = parts[1] if parts else said
    return named


def _find(said: str, by_name: dict[str, Path], within: PurePath) -> Path | None:
    path = PurePosixPath(readable(said.replace("\\", "/")))
    inner = path.relative_to(within) if path.is_relative_to(within) else path
    return by_name.get(str(path)) or by_name.get(str(inner))


def is_code(file: PurePath) -> bool:
    """Whether a file is a script or a notebook, by its name."""
    return file.suffix.lower() in CODE


# ------------------------------------------------------------------ what does not fit


def not_there(said: str, files: Collection[Path]) -> str:
    """What to tell an instructor who named a file that is not in the hand-in."""
    names = sorted(readable(file.as_posix()) for file in files)
    close = get_close_matches(said, names, n=1)
    same = [name for name in names if PurePosixPath(name).name == PurePosixPath(said).name]
    if meant := same[:1] or close:
        return f"there is no file {said!r} in the hand-in; did you mean {meant[0]!r}?"
    held = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"there is no file {said!r} in the hand-in; there is {held or 'nothing'}"


def no_class(name: str, path: Path, shown: Path) -> str | None:
    """What to tell an instructor who named a class that is not in a file; None where it is."""
    classes = list(dict.fromkeys(_CLASS.findall(path.read_text("utf-8", "replace"))))
    if name in classes:
        return None
    close = get_close_matches(name, classes, n=1)
    if close:
        return f"there is no class {name!r} in {shown}; did you mean {close[0]!r}?"
    held = ", ".join(classes[:_SHOWN]) + (", ..." if len(classes) > _SHOWN else "")
    return f"there is no class {name!r} in {shown}; there is {held or 'none at all'}"
