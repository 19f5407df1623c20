"""Where assignments are: a folder of an assignment's name in each of three.

    rubrics/NAME/            rubric.toml, the checks, and wrong and right hand-ins that prove them
    reference/NAME/          a hand-in that earns all points
    student_template/NAME/   what students begin with

Those three lie in one folder, the home: that of this package, or any other.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import attrs

from grader.errors import UsageError

#: The environment variable that names another home than the package's own.
VARIABLE = "GRADE_ASSIGNMENTS"

#: In a student's folder: says which assignment it is.
FILE = "assignment.toml"


@dataclass(frozen=True)
class Assignment:
    """One assignment: its name, and the home that holds its folders."""

    name: str
    home: Path

    @property
    def checks(self) -> Path:
        return self.home / "rubrics" / self.name

    @property
    def rubric(self) -> Path:
        return self.checks / "rubric.toml"

    @property
    def wrong(self) -> Path:
        """The folder of wrong hand-ins, each in a folder of its own."""
        return self.checks / "wrong"

    @property
    def right(self) -> Path:
        """The folder of right ones that are written in other ways than the reference."""
        return self.checks / "right"

    @property
    def reference(self) -> Path:
        return self.home / "reference" / self.name

    @property
    def template(self) -> Path:
        return self.home / "student_template" / self.name


@attrs.frozen
class AssignmentFile:
    """`assignment.toml` in a student's folder: which assignment it is, and its home.

    `assignments` is not said for those that come with this package.
    """

    assignment: str
    assignments: str | None = None


def built_in() -> Path:
    """The home of the assignments that come with this package.

    Installed they lie beside the modules; in a checkout at its top.
    """
    package = Path(__file__).parent
    installed = package / "assignments"
    return installed if installed.is_dir() else package.parent


def named_home() -> Path | None:
    """The home that the environment names, if it does."""
    return Path(said).absolute() if (said := os.environ.get(VARIABLE)) else None


def assignments(home: Path | None = None) -> list[Assignment]:
    """All assignments, by name: those in `home` (by default the environment's), then our own.

    Of two with one name the one in `home` is meant. UsageError where `home` has no rubrics.
    """
    named = named_home() if home is None else home.absolute()
    found: dict[str, Assignment] = {}
    for place in (built_in(), *([named] if named else [])):
        if place == named and not (place / "rubrics").is_dir():
            raise UsageError(
                f"{named} holds no assignments",
                expected="a folder with rubrics/, reference/ and student_template/ in it",
                do=f"name it with --assignments or in {VARIABLE}, or make one: "
                "grade new-assignment NAME --assignments DIR",
            )
        for path in (place / "rubrics").glob("*/rubric.toml"):
            found[path.parent.name] = Assignment(path.parent.name, place)
    return [found[name] for name in sorted(found)]


def find(name: str, home: Path | None = None) -> Assignment:
    """The assignment of this name; UsageError, with the names that exist, where there is none."""
    there = {found.name: found for found in assignments(home)}
    if name not in there:
        raise UsageError(
            f"there is no assignment {name!r}",
            expected=" or ".join(there) or "at least one folder in rubrics/",
            do="name one with --assignment or in class.toml, and the folder it is in, if it did "
            "not come with this program, with --assignments",
        )
    return there[name]


def copy_template(assignment: Assignment, folder: Path) -> None:
    """Copy the starter files into `folder`, for a student.

    The copy says where the assignment is, so that `pytest` finds it. UsageError where there is
    something in the folder.
    """
    if not assignment.template.is_dir():
        raise UsageError(f"{assignment.template} is missing", expected="what students begin with")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} already has something in it",
            expected="an empty or a new folder",
            do="name another one; nothing was written",
        )
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(assignment.template, folder, dirs_exist_ok=True, ignore=ignore)
    if assignment.home != built_in():
        where = json.dumps(str(assignment.home), ensure_ascii=False)  # a TOML string as well
        with (folder / FILE).open("a", encoding="utf-8") as file:
            file.write(f"assignments = {where}\n")
