"""Reads what students handed in: class folders, archives, class.toml, the text of reports."""

from grader.intake.asked import Asked
from grader.intake.class_folder import ClassFolder, read_class
from grader.intake.code_text import code_text
from grader.intake.deadline import Lateness, lateness
from grader.intake.entry import Entry, digest
from grader.intake.hand_in import copy_files
from grader.intake.named_files import CODE, is_code
from grader.intake.overrides import refuse_overrides
from grader.intake.passages import Passage, find_passage
from grader.intake.quantities import Quantity, quantities
from grader.intake.settings import (
    MODEL,
    REPORT,
    ClassSettings,
    Override,
    Points,
    with_overrides,
)
from grader.intake.submission import open_entry
from grader.intake.suspicions import suspicions
from grader.intake.tables import Cell, Column, Table, tables_in
from grader.intake.times import arrived, handed_in

__all__ = [
    "CODE",
    "MODEL",
    "REPORT",
    "Asked",
    "Cell",
    "ClassFolder",
    "ClassSettings",
    "Column",
    "Entry",
    "Lateness",
    "Override",
    "Passage",
    "Points",
    "Quantity",
    "Table",
    "arrived",
    "code_text",
    "copy_files",
    "digest",
    "find_passage",
    "handed_in",
    "is_code",
    "lateness",
    "open_entry",
    "quantities",
    "read_class",
    "refuse_overrides",
    "suspicions",
    "tables_in",
    "with_overrides",
]
