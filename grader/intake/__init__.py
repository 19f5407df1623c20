"""Reads what students handed in: class folders, archives, class.toml, the text of reports."""

from grader.intake.class_folder import ClassFolder, read_class
from grader.intake.deadline import lateness
from grader.intake.hand_in import copy_files
from grader.intake.passages import find_passage
from grader.intake.settings import (
    ClassSettings,
    Override,
    Points,
    refuse_unknown_criteria,
    with_overrides,
)
from grader.intake.suspicions import suspicions

__all__ = [
    "ClassFolder",
    "ClassSettings",
    "Override",
    "Points",
    "copy_files",
    "find_passage",
    "lateness",
    "read_class",
    "refuse_unknown_criteria",
    "suspicions",
    "with_overrides",
]
