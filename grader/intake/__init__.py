"""Reads what students handed in: class folders, archives, class.toml, the text of reports."""

from grader.intake.class_folder import ClassFolder, read_class
from grader.intake.deadline import handed_in, lateness
from grader.intake.entry import Entry, digest
from grader.intake.hand_in import copy_files
from grader.intake.passages import find_passage
from grader.intake.settings import (
    ClassSettings,
    Override,
    Points,
    refuse_unknown_criteria,
    with_overrides,
)
from grader.intake.submission import open_entry
from grader.intake.suspicions import suspicions

__all__ = [
    "ClassFolder",
    "ClassSettings",
    "Entry",
    "Override",
    "Points",
    "copy_files",
    "digest",
    "find_passage",
    "handed_in",
    "lateness",
    "open_entry",
    "read_class",
    "refuse_unknown_criteria",
    "suspicions",
    "with_overrides",
]
