"""similar.csv: what hand-ins have in common, for the instructor to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from grader.exports.cells import text_cell, whole_table
from grader.records import InCommon

COLUMNS = (
    *("first", "first name", "second", "second name", "in common", "how much"),
    *("of first", "of second", "in first", "in second", "what"),
)


def write_similar(path: Path, found: Iterable[InCommon], names: Mapping[str, str | None]) -> None:
    """Write a row for each thing that two hand-ins have in common, in the order of `found`.

    `names` are the students', by submission. Where there is nothing, the file has its head only.
    """
    with whole_table(path, COLUMNS) as table:
        for one in found:
            cells = (
                *(one.first, names.get(one.first), one.second, names.get(one.second)),
                *(one.kind.value, one.amount, *(f"{share:.0%}" for share in one.shares)),
                *(*one.where, one.what),
            )
            table.add([text_cell(cell) for cell in cells])


def copied_tables(found: Iterable[InCommon]) -> dict[tuple[str, str], str]:
    """A remark for each table whose times another has, by submission and criterion."""
    remarks: dict[tuple[str, str], list[str]] = {}
    for one in found:
        ids = one.first, one.second
        for id_, other, criteria in zip(ids, reversed(ids), one.criteria, strict=True):
            for criterion in criteria:
                said = f"{other} has the same times, to the last digit ({one.what})"
                remarks.setdefault((id_, criterion), []).append(said)
    return {place: "; ".join(said) for place, said in remarks.items()}
