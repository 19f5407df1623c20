"""The files of a hand-in that class.toml names, found in it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePath, PurePosixPath

from grader.intake.entry import Entry
from grader.intake.hand_in import HandIn
from grader.intake.names import readable

_SHOWN = 8


@dataclass
class NamedFiles:
    """Files by what they are, and what was named but is not there."""

    found: dict[str, Path] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


def named_files(entry: Entry, files: HandIn, within: PurePath) -> NamedFiles:
    """Look for them, with or without the folders that the hand-in is packed in (`within`)."""
    by_name = {readable(file.as_posix()): file for file in files.files}
    named = NamedFiles()
    for what, said in entry.files.items():
        path = PurePosixPath(readable(said.replace("\\", "/")))
        inner = path.relative_to(within) if path.is_relative_to(within) else path
        file = by_name.get(str(path)) or by_name.get(str(inner))
        if file is None:
            named.missing[what] = said
        else:
            named.found[what] = file
    return named


def not_there(said: str, files: Collection[Path]) -> str:
    """What to tell an instructor who named a file that is not in the hand-in."""
    names = sorted(readable(file.as_posix()) for file in files)
    close = get_close_matches(said, names, n=1)
    same = [name for name in names if PurePosixPath(name).name == PurePosixPath(said).name]
    if meant := same[:1] or close:
        return f"there is no file {said!r} in the hand-in; did you mean {meant[0]!r}?"
    held = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return f"there is no file {said!r} in the hand-in; there is {held or 'nothing'}"
