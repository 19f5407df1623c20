"""What computers leave in folders and no student means to hand in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

_WHY = {
    "__macosx": "data of macOS",
    "desktop.ini": "data of Windows",
    "thumbs.db": "data of Windows",
    "ehthumbs.db": "data of Windows",
    "__pycache__": "compiled Python",
    "site-packages": "installed packages",
    "node_modules": "installed packages",
    ".git": "version history",
    ".svn": "version history",
    ".hg": "version history",
    ".ds_store": "data of macOS",
    ".ipynb_checkpoints": "copies made by Jupyter",
    ".venv": "a virtual environment",
    ".vscode": "settings of an editor",
    ".idea": "settings of an editor",
    ".vs": "settings of an editor",
}

#: The file that makes a folder a virtual environment, whatever the folder is called.
ENVIRONMENT = "pyvenv.cfg"


_MOST_LINES = 50


def few(lines: list[str]) -> list[str]:
    """The lines; of very many, some and how many more there are."""
    more = len(lines) - _MOST_LINES
    return lines if more <= 0 else [*lines[:_MOST_LINES], f"and {more} more of this kind"]


def why_junk(name: str) -> str | None:
    """Why a file or folder of this name is passed over; None for one that counts."""
    why = _WHY.get(name.lower())
    if why is not None:
        return why
    if name.startswith((".~lock.", "~$")):
        return "a lock file of an office program"
    if name.startswith("."):
        return "a hidden file"
    if name.endswith("~"):
        return "a backup copy of an editor"
    return "compiled Python" if name.lower().endswith((".pyc", ".pyo")) else None


def environments(files: Iterable[PurePath]) -> set[PurePath]:
    """The folders among these that are virtual environments, whatever they are called.

    They hold a pyvenv.cfg, or installed packages where Python puts them: lib/python3.11/ on
    Linux and macOS, Lib/ on Windows.
    """
    found: set[PurePath] = set()
    for file in files:
        if file.name == ENVIRONMENT:
            found.add(file.parent)
        elif "site-packages" in file.parts:
            place = type(file)(*file.parts[: file.parts.index("site-packages")])
            if place.name.startswith("python"):
                place = place.parent
            if place.name.lower() in {"lib", "lib64"}:
                found.add(place.parent)
    return found - {type(place)() for place in found}  # never the hand-in as a whole
