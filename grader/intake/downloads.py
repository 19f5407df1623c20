"""Recognises what Moodle and Canvas make of a class when an instructor downloads it.

Moodle: a folder per student, `Õnne Žukova_123456_assignsubmission_file_`, or all files side by
side, `Õnne Žukova_123456_assignsubmission_file_hw3.py`. Canvas: all files side by side,
`zukovaonne_LATE_1234_5678_hw3.py`. The number of the student becomes the id.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from grader.errors import UsageError
from grader.intake.archives import ending_of
from grader.intake.attempts import latest_inside, read_name, told
from grader.intake.entry import Part
from grader.intake.found import Found
from grader.intake.hand_in import is_folder
from grader.intake.junk import why_junk
from grader.intake.names import readable

_MOODLE = re.compile(
    r"(?P<who>.+?)_(?P<key>[0-9]+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<rest>.*))?", re.DOTALL
)
#: A group's submission has the group's name in front of the student's.
_GROUP = re.compile(r"((?:default )?(?:group|team|rühm|grupp)\b[^-]*)-(.+)", re.IGNORECASE)
_ANONYMOUS = {"participant", "osaleja"}

_CANVAS = re.compile(
    r"(?P<who>.+?)(?P<late>_LATE)?_(?P<key>[0-9]+)_(?:(?P<file>[0-9]+)_(?P<name>.+)"
    r"|(?P<text>text\.html))",
    re.DOTALL,
)
#: What is left of a name where somebody packed a student's folder.
_BARE = {".zip", ".tar", ".tgz", ".tar.gz", ".html", ".pdf", ".py", ".ipynb"}
_RESUBMITTED = re.compile(r"(.+)-([1-9][0-9]?)", re.DOTALL)


@dataclass(frozen=True)
class _Piece:
    """One file or folder of a download. `slot` is what only one of its attempts can fill."""

    path: Path
    key: str
    who: str
    name: str
    slot: str
    attempt: int = 0
    late: bool = False
    file: str | None = None  # Canvas' number of the file


def recognise(children: Iterable[Path]) -> list[Found]:
    """The students of a download among these, and nothing else.

    Raises UsageError where one number stands for two students.
    """
    children = [child for child in children if why_junk(name_given(child)) is None]
    moodle = [piece for child in children if (piece := _moodle(child))]
    canvas = [piece for child in children if (piece := _canvas(child))]
    found = [_from_moodle(key, pieces) for key, pieces in _by_student(moodle).items()]
    if _is_consistent(canvas):
        found += [_from_canvas(key, pieces) for key, pieces in _by_student(canvas).items()]
    return found


def name_given(child: Path) -> str:
    """What the student called a file that a platform renamed; other names as they are."""
    piece = _moodle(child) or _canvas(child)
    return piece.name if piece and not is_folder(child) else child.name


def _by_student(pieces: Iterable[_Piece]) -> dict[str, list[_Piece]]:
    students: dict[str, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        students[piece.key].append(piece)
    clashes = [
        f"the number {key} stands for more than one student: "
        + " and ".join(dict.fromkeys(readable(piece.path.name) for piece in same))
        for key, same in students.items()
        if len({piece.who for piece in same}) > 1
    ]
    if clashes:
        raise UsageError("\n".join(clashes), do="put the downloads of two assignments apart")
    return students


# ------------------------------------------------------------------ Moodle


def _moodle(child: Path) -> _Piece | None:
    in_folder = is_folder(child)
    # Whoever unpacks a download twice gets `..._assignsubmission_file_ (2)`.
    named = read_name(child.name) if in_folder else None
    sure = named is not None and named.sure
    found = _MOODLE.fullmatch(named.base if named and sure else child.name)
    if found is None:
        return None
    kind, rest = found["kind"], found["rest"] or ""
    name = f"{kind}{rest}" if rest in {"", *_BARE} else rest
    return _Piece(
        child,
        found["key"],
        found["who"].strip(),
        name,
        slot=kind if in_folder else f"{kind} {name}",
        attempt=named.number if named and sure else 0,
    )


def _from_moodle(key: str, pieces: list[_Piece]) -> Found:
    parts, notes, left_out = [], [], []
    slots: dict[str, list[_Piece]] = defaultdict(list)
    for piece in pieces:
        slots[piece.slot].append(piece)
    for same in slots.values():
        *others, last = sorted(same, key=lambda piece: piece.attempt)
        path, earlier = latest_inside(last.path) if is_folder(last.path) else (last.path, ())
        shown = readable(last.path.name)
        if others:
            note, lines = told(shown, (readable(piece.path.name) for piece in others))
            notes.append(note)
            left_out += lines
        if earlier:
            note, lines = told(path.name, earlier)
            notes.append(note)
            left_out += [f"{shown}/{line}" for line in lines]
        place = f"{last.path.name}/{path.name}" if earlier else path.name
        parts.append(Part(path, place if is_folder(path) else last.name))
    name, group = _name(pieces[0].who)
    if group:
        notes.insert(0, f"handed in by {group}")
    children = tuple(piece.path for piece in pieces)
    return Found(key, tuple(parts), children, name, notes=tuple(notes), left_out=tuple(left_out))


def _name(who: str) -> tuple[str | None, str | None]:
    """The student's name where there is one, and the group's."""
    grouped = _GROUP.fullmatch(who)
    name = readable((grouped[2] if grouped else who).strip())
    return None if name.casefold() in _ANONYMOUS else name, grouped and readable(grouped[1].strip())


# ------------------------------------------------------------------ Canvas


def _canvas(child: Path) -> _Piece | None:
    found = _CANVAS.fullmatch(child.name)
    if found is None or is_folder(child):
        return None
    name = found["name"] or found["text"]
    late = found["late"] is not None
    return _Piece(child, found["key"], found["who"], name, name, 0, late, found["file"])


def _is_consistent(pieces: list[_Piece]) -> bool:
    """Whether these are of Canvas: `ann_2026_04_hw3.py` and `ben_2026_04_hw3.py` look alike.

    There a number belongs to one student or to one file.
    """
    students: dict[str, set[str]] = defaultdict(set)
    for piece in pieces:
        students[piece.key].add(piece.who)
    files = [piece.file for piece in pieces if piece.file]
    return all(len(who) == 1 for who in students.values()) and len(set(files)) == len(files)


def _from_canvas(key: str, pieces: list[_Piece]) -> Found:
    names = {piece.name for piece in pieces}
    slots: dict[str, list[_Piece]] = defaultdict(list)
    for piece in (_with_attempt(piece, names) for piece in pieces):
        slots[piece.slot].append(piece)
    chosen, notes, left_out = [], [], []
    for same in slots.values():
        *others, last = sorted(same, key=lambda piece: (piece.attempt, int(piece.file or 0)))
        chosen.append(last)
        if others:
            note, lines = told(last.name, (piece.name for piece in others))
            notes.append(note)
            left_out += lines
    parts = tuple(Part(piece.path, piece.slot) for piece in chosen)
    late = any(piece.late for piece in chosen)
    prefix = f"{readable(pieces[0].who)}_{key}"
    return Found(
        key,
        parts,
        tuple(piece.path for piece in pieces),
        readable(pieces[0].who),
        late,
        tuple(map(readable, notes)),
        tuple(f"{prefix}_{readable(line)}" for line in left_out),
    )


def _with_attempt(piece: _Piece, names: set[str]) -> _Piece:
    """Canvas calls the file of a later attempt `hw3-1.py`; the student called it `hw3.py`.

    It is that where an `hw3.py` is there too, or where nothing else ends in a number: two files
    `task-1.py` and `task-2.py` are two.
    """
    end = ending_of(piece.name) or PurePath(piece.name).suffix
    stem = piece.name.removesuffix(end) if end else piece.name
    found = _RESUBMITTED.fullmatch(stem)
    if found is None:
        return piece
    first = found[1] + end
    alike = [n for n in names if re.fullmatch(re.escape(found[1]) + r"-[0-9]+" + re.escape(end), n)]
    if first in names or len(alike) == 1:
        return replace(piece, slot=first, attempt=int(found[2]))
    return piece
