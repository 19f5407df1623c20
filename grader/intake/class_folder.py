"""The folder of a class: one hand-in per student, however they were collected."""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import UsageError
from grader.intake import downloads, plain
from grader.intake.archives import ending_of
from grader.intake.attempts import told_in
from grader.intake.class_archive import unpack_class
from grader.intake.entry import Entry
from grader.intake.found import Found, show
from grader.intake.hand_in import is_folder
from grader.intake.junk import why_junk
from grader.intake.names import readable
from grader.intake.roster import Roster
from grader.intake.settings import FILE, ClassSettings, Override, named_ids, read_settings
from grader.records import Student


@dataclass(frozen=True)
class ClassFolder:
    """A class as handed in, by id. `ignored` names all that was passed over, one line each.

    `folder` is where its class.toml may lie. `missing` are the students of the roster without a
    hand-in, `unlisted` the hand-ins that are not in it; `attempts` says which of several counts.
    """

    folder: Path
    settings: ClassSettings
    entries: tuple[Entry, ...]
    ignored: tuple[str, ...] = ()
    missing: tuple[Student, ...] = ()
    unlisted: tuple[str, ...] = ()
    attempts: Mapping[str, str] = field(default_factory=dict)


def read_class(place: Path, workspace: Path | None = None) -> ClassFolder:
    """List the hand-ins of a class; nothing in `place` is changed.

    `place` is the folder of hand-ins, or a zip or tarball of it, which is unpacked into
    `workspace`; its class.toml is in it, else beside it.
    Raises UsageError where the folder or its class.toml does not fit.
    """
    folder, said_in = place, place
    junk: list[str] = []
    if workspace is not None and place.is_file() and ending_of(place.name):
        folder, junk = unpack_class(place, workspace)
        said_in = folder if (folder / FILE).exists() else place.parent
    children = _children(folder)
    found = _recognised(children, named_ids(said_in))
    if not found:
        raise _no_hand_in(place, children)
    by_id = _by_id(found)
    settings, roster = read_settings(said_in, by_id)
    ignored = (
        *junk,
        *_strays(children, found, roster),
        *(line for key in sorted(by_id) for line in by_id[key].left_out),
    )
    entries = tuple(_entry(by_id[key], settings, roster) for key in sorted(by_id))
    missing = tuple(Student(key, roster.names[key]) for key in roster.names if key not in by_id)
    unlisted = tuple(key for key in sorted(by_id) if roster.file and key not in roster.names)
    attempts = {entry.id: note for entry in entries if (note := told_in(entry.notes))}
    return ClassFolder(said_in, settings, entries, ignored, missing, unlisted, attempts)


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
            expected="a folder with one folder or zip per student, or a zip or tarball of that",
            do="if it is the download of a whole class, unpack it, and name that folder",
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


def _recognised(children: list[Path], known: Collection[str]) -> list[Found]:
    meant = [child for child in children if child.name != FILE and _why_ignored(child) is None]
    found = downloads.recognise(meant)
    taken = {child for one in found for child in one.children}
    rest = [child for child in meant if child not in taken]
    return found + plain.recognise(rest, known)


def _why_ignored(child: Path) -> str | None:
    """Why nothing of this name is looked at, whatever else is there."""
    why = why_junk(downloads.name_given(child))
    if why is None and is_folder(child) and _holds_results(child):
        return "results of an earlier run"
    if why is None and not _is_plain(child):
        return "no regular file"
    return why


def _is_plain(child: Path) -> bool:
    """Whether it can be read to an end; a link is, as it is not followed."""
    mode = child.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _holds_results(folder: Path) -> bool:
    try:
        return all((folder / name).is_file() for name in plain.RESULTS)
    except OSError:
        return False  # unreadable: told when it is opened


def _strays(children: list[Path], found: list[Found], roster: Roster) -> list[str]:
    """A line for everything that belongs to no hand-in."""
    taken = {child for one in found for child in one.children}
    return [
        f"{readable(child.name)}: "
        + (_why_ignored(child) or "neither a folder, nor an archive, nor a script")
        for child in children
        if child not in taken and child.name not in {FILE, roster.file}
    ]


def _no_hand_in(folder: Path, children: list[Path]) -> UsageError:
    names = ", ".join(readable(child.name) for child in children[:5])
    return UsageError(
        f"{folder} holds no hand-in",
        expected="one folder or zip per student",
        found=names + (", ..." if len(children) > 5 else ""),
        do="name the folder that holds the hand-ins",
    )


def _by_id(found: Iterable[Found]) -> dict[str, Found]:
    """Hand-ins by id; UsageError naming all that share one."""
    by_id: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_id[one.id].append(one)
    clashes = [
        f"submission {key!r} is there more than once: "
        + show(sorted(child for one in same for child in one.children))
        for key, same in by_id.items()
        if len(same) > 1
    ]
    if clashes:
        raise UsageError("\n".join(clashes), do="keep one of each, or rename them")
    return {key: one for key, [one] in by_id.items()}


def _entry(found: Found, settings: ClassSettings, roster: Roster) -> Entry:
    key = found.id
    override = settings.overrides.get(key) or Override()
    student = Student(key, override.name or roster.names.get(key) or found.name)
    notes = (f"not in {roster.file}",) if roster.file and key not in roster.names else ()
    first = found.parts[0]
    as_it_stands = len(found.parts) == 1 and first.path.name == first.name
    return Entry(
        key,
        student,
        first.path,
        notes=(*notes, *found.notes),
        parts=() if as_it_stands else found.parts,
        late=found.late,
        files=override.files,
        arguments=override.arguments,
    )
