"""Hand-ins that somebody put into a class folder by hand: `s01/`, `s01.zip`, `s01.py`."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from grader.intake.archives import ending_of, stem_of
from grader.intake.attempts import group, latest_inside, read_name, told
from grader.intake.entry import Part
from grader.intake.found import Found, show
from grader.intake.hand_in import is_folder
from grader.intake.names import storable
from grader.intake.times import changed

SCRIPTS = (".py", ".ipynb")

#: Tables that lie beside the results of each student.
RESULTS = ("gradebook.csv", "review.csv")

#: A report belongs to the script of the same name, and is no hand-in by itself.
_BESIDE_SCRIPTS = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".md", ".html", ".txt")


@dataclass(frozen=True)
class _Attempt:
    """What was handed in at once: a folder, an archive, or a script with what belongs to it."""

    id: str
    paths: tuple[Path, ...]

    @property
    def shown(self) -> str:
        return show(self.paths)

    @property
    def is_of_files(self) -> bool:
        return not is_folder(self.paths[0]) and not ending_of(self.paths[0].name)

    def time(self) -> tuple[float, bool]:
        """For the order of attempts: of a folder and its own zip the folder is the later one.

        A zip counts in steps of two seconds.
        """
        newest = max((changed(path) or 0.0 for path in self.paths), default=0.0)
        return newest // 2, is_folder(self.paths[0])


def recognise(children: Iterable[Path], known: Collection[str]) -> list[Found]:
    """The hand-ins among these; `known` are ids that a roster or class.toml names.

    Several with one id come back as several where nothing tells which of them counts.
    """
    attempts = _attempts(list(children))
    clones = {a.id for a in attempts if os.path.lexists(a.paths[0] / ".git")}
    ids = {a.id for a in attempts}
    # A login on GitHub may end in -2.
    students = group(ids, {*known, *clones})
    together: dict[str, list[_Attempt]] = defaultdict(list)
    for attempt in attempts:
        together[students[attempt.id]].append(attempt)
    found = [one for id_, same in together.items() for one in _found(id_, same)]
    return _by_login(found, known) if clones == ids else found


def _attempts(children: list[Path]) -> list[_Attempt]:
    scripts: dict[str, list[Path]] = defaultdict(list)
    attempts = []
    for child in children:
        if is_folder(child) or ending_of(child.name):
            id_ = _id(child.name if is_folder(child) else stem_of(child))
            attempts.append(_Attempt(id_, (child,)))
        elif child.suffix.lower() in SCRIPTS:
            scripts[_id(child.stem)].append(child)
    for child in children:
        if child.suffix.lower() in _BESIDE_SCRIPTS and _id(child.stem) in scripts:
            scripts[_id(child.stem)].append(child)
    return attempts + [_Attempt(id_, tuple(paths)) for id_, paths in scripts.items()]


def _id(name: str) -> str:
    """The id that a name in the class folder gives, after which the results are called."""
    id_ = storable(name)
    return f"{id_}_" if id_ in RESULTS or not id_.strip() else id_


def _found(id_: str, attempts: list[_Attempt]) -> list[Found]:
    """One hand-in; all of them where a script and a folder of one name are two things."""
    kinds = {(a.id, a.is_of_files) for a in attempts}
    if len(kinds) > len({a.id for a in attempts}):
        return [_one(id_, attempt, []) for attempt in attempts]
    if len(attempts) > 1:  # the time of an archive is that of what is in it
        attempts = sorted(attempts, key=lambda one: (_number(id_, one), one.time()))
    *others, last = attempts
    return [_one(id_, last, others)]


def _number(id_: str, attempt: _Attempt) -> int:
    return 0 if attempt.id == id_ else read_name(attempt.id).number


def _one(id_: str, attempt: _Attempt, others: Sequence[_Attempt]) -> Found:
    notes, left_out = [], []
    if others:
        note, lines = told(attempt.shown, (other.shown for other in others))
        notes.append(note)
        left_out += lines
    parts = [Part(path, path.name) for path in attempt.paths]
    if is_folder(attempt.paths[0]):
        path, earlier = latest_inside(attempt.paths[0])
        if earlier:
            note, lines = told(path.name, earlier)
            notes.append(note)
            left_out += [f"{attempt.shown}{line}" for line in lines]
            parts = [Part(path, f"{attempt.shown}{path.name}")]
    children = (*attempt.paths, *(path for other in others for path in other.paths))
    return Found(id_, tuple(parts), children, notes=tuple(notes), left_out=tuple(left_out))


def _by_login(found: list[Found], known: Collection[str]) -> list[Found]:
    """Clones of one assignment, `homework3-ann` and `homework3-ben`: their logins.

    A single clone, or one that is known by its whole name, keeps that.
    """
    common = found[0].id if found else ""
    for one in found:
        while not one.id.startswith(common):
            common = common[:-1]
    prefix = common[: common.rfind("-") + 1]
    logins = [one.id.removeprefix(prefix) for one in found]
    usable = prefix and all(login.strip(". ") for login in logins)
    if len(found) < 2 or not usable or any(one.id in known for one in found):
        return found
    return [replace(one, id=login) for one, login in zip(found, logins, strict=True)]
