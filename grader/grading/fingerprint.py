"""Hashes of all that a result follows from: equal hashes, equal result."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import attrs

import grader
from grader import intake, similarity
from grader.assignment import Assignment
from grader.grading.run import HashesByName, Run
from grader.records import Kind, Score
from grader.rubric import Rubric

#: Where one of these differs, student code has to run again; else stored observations do.
OBSERVED = ("submission", "directions", "checks", "grader")

_LENGTH = 16  # hexadecimal digits that are kept


def of_run(assignment: Assignment, rubric: Rubric) -> HashesByName:
    """The hashes that all hand-ins of a class share.

    `checks` is what decides which code runs and how it is judged: the checks, the rubric's
    words and limits. `rubric` is what makes points of that. `grader` is this package's own
    source, Python, torch and NumPy.
    """
    return {
        "checks": _hash(assignment.name, _checks(assignment), _running_part(rubric)),
        "rubric": _hash(attrs.asdict(rubric)),
        "grader": _hash(
            _files(Path(grader.__file__).parent, "*.py"),
            platform.python_version(),
            *map(metadata.version, ("torch", "numpy")),
        ),
    }


def of_entry(run: Run, entry: intake.Entry) -> HashesByName:
    """All hashes of one hand-in: `class` is what the class folder says about it.

    `directions` is the part of that by which it is read and run.
    """
    override = run.settings.overrides.get(entry.id)
    late = intake.lateness(entry, run.settings)
    said = {
        "name": entry.student.name,
        "late": late and [late.said, late.seconds],
        "notes": entry.notes,
        "points": attrs.asdict(override)["points"] if override else {},
        "excused": override and override.excused,
    }
    return {
        "submission": _hash(intake.digest(entry)),
        "directions": _hash(dict(entry.files), entry.arguments),
        **run.made_from,
        "class": _hash(said),
    }


def observed_part(made_from: HashesByName) -> HashesByName:
    """The hashes of what observations follow from."""
    return {name: made_from[name] for name in OBSERVED if name in made_from}


def of_comparison(assignment: Assignment, scores: Iterable[Score]) -> str:
    """A hash of all that follows from comparing the hand-ins with these results."""
    graded = sorted((s.submission, s.graded_at, sorted(s.made_from.items())) for s in scores)
    template = _files(assignment.template, "*")
    return _hash(graded, template, similarity.library_version())


def _checks(assignment: Assignment) -> list[tuple[str, str]]:
    """All but the rubric, which counts by its parts, and the hand-ins that prove the checks."""
    proofs = assignment.wrong, assignment.right
    apart = (assignment.rubric.name, *(f"{folder.name}/" for folder in proofs))
    files = _files(assignment.checks, "*")
    return [(name, digest) for name, digest in files if not name.startswith(apart)]


def _running_part(rubric: Rubric) -> Any:
    decided = sorted(c.id for c in rubric.criteria if c.kind is Kind.CODE)
    model = rubric.model and attrs.asdict(rubric.model)
    scripts = [attrs.asdict(script) for script in rubric.script]
    headings = [[task.id, task.title, task.also] for task in rubric.tasks]
    answers = [[c.id, c.where, c.asked] for c in rubric.criteria]  # where checks find them
    return [model, attrs.asdict(rubric.limits), scripts, decided, headings, answers]


def _files(folder: Path, pattern: str) -> list[tuple[str, str]]:
    """Names and hashes of the files below a folder, compiled ones left out."""
    return [
        (path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.rglob(pattern))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def _hash(*values: Any) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
