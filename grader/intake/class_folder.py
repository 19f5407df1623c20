"""The folder of a class: one hand-in per student, as a folder, a zip or a single script."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.intake.entry import Entry
from grader.intake.junk import why_junk
from grader.intake.names import readable, storable
from grader.intake.roster import Roster
from grader.intake.settings import FILE, ClassSettings, read_settings
from grader.records import Student

#: Written by an earlier run; their folder is no hand-in.
_RESULTS = ("gradebook.csv", "review.csv")


@dataclass(frozen=True)
class ClassFolder:
    """A class as handed in, by id. `ignored` names all that was passed over, one line each.

    `missing` are the students of the roster without a hand-in.
    """

    folder: Path
    settings: ClassSettings
    entries: tuple[Entry, ...]
    ignored: tuple[str, ...] = ()
    missing: tuple[Student, ...] = ()


def read_class(folder: Path) -> ClassFolder:
    """List the hand-ins of a class; none is opened, nothing in `folder` is changed.

    Raises UsageError where the folder or its class.toml does not fit.
    """
    children = _children(folder)
    sources = {child.name: child for child in children if _is_hand_in(child)}
    if not sources:
        raise _no_hand_in(folder, children)
    by_id = _by_id(sources.values())
    settings, roster = read_settings(folder, by_id)
    ignored = tuple(
        f"{readable(child.name)}: {why}"
        for child in children
        if child.name not in sources and child.name not in {FILE, roster.file}
        for why in [why_junk(child.name) or _why_stray(child)]
    )
    entries = tuple(_entry(key, by_id[key], settings, roster) for key in sorted(by_id))
    missing = tuple(Student(key, roster.names[key]) for key in roster.names if key not in by_id)
    return ClassFolder(folder, settings, entries, ignored, missing)


# ------------------------------------------------------------------ the class


def _children(folder: Path) -> list[Path]:
    try:
        children = sorted(folder.iterdir())
        for child in children:
            child.lstat()  # names can be readable where files are not
    except FileNotFoundError as error:
        raise UsageError(f"{folder} does not exist", do="name the folder of hand-ins") from error
    except NotADirectoryError as error:
        raise UsageError(
            f"{folder} is a file",
            expected="a folder with one folder or zip per student",
            do="unpack it if it is the download of a whole class, and name that folder",
        ) from error
    except OSError as error:
        raise UsageError(f"{folder} cannot be read", found=error.strerror) from error
    if not children:
        raise UsageError(
            f"{folder} is empty",
            expected="one folder or zip per student",
            do="put the hand-ins into it",
        )
    return children


def _is_hand_in(child: Path) -> bool:
    if why_junk(child.name) is not None:
        return False
    if child.is_dir():
        return not _holds_results(child)
    return child.suffix.lower() in {".zip", ".py"}


def _holds_results(folder: Path) -> bool:
    try:
        return all((folder / name).is_file() for name in _RESULTS)
    except OSError:
        return False  # unreadable: told when it is opened


def _why_stray(child: Path) -> str:
    if child.is_dir():
        return "results of an earlier run"
    return "neither a folder, nor a zip, nor a Python file"


def _no_hand_in(folder: Path, children: list[Path]) -> UsageError:
    names = ", ".join(readable(child.name) for child in children[:5])
    return UsageError(
        f"{folder} holds no hand-in",
        expected="one folder or zip per student",
        found=names + (", ..." if len(children) > 5 else ""),
        do="name the folder that holds the hand-ins",
    )


def _by_id(sources: Iterable[Path]) -> dict[str, Path]:
    """Hand-ins by id; UsageError naming all that share one."""
    found: dict[str, list[Path]] = defaultdict(list)
    for source in sources:
        found[storable(source.name if source.is_dir() else source.stem)].append(source)
    clashes = [
        f"submission {key!r} is there more than once: "
        + " and ".join(readable(s.name) + ("/" if s.is_dir() else "") for s in same)
        for key, same in found.items()
        if len(same) > 1
    ]
    if clashes:
        raise UsageError("\n".join(clashes), do="keep one of each, or rename them")
    return {key: source for key, [source] in found.items()}


def _entry(key: str, source: Path, settings: ClassSettings, roster: Roster) -> Entry:
    override = settings.overrides.get(key)
    student = Student(key, (override and override.name) or roster.names.get(key))
    notes = (f"not in {roster.file}",) if roster.file and key not in roster.names else ()
    return Entry(key, student, source, notes)
