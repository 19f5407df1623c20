"""Tables in plain text, where tabs or several spaces stand between the cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.intake.reading.columns import is_list, numeric
from grader.intake.reading.rows import as_rows, is_row

_BETWEEN = re.compile(r"\t+ *| {2,}\t*")


def with_rows(lines: Sequence[str]) -> list[str]:
    """The lines; those of a table as `| cell | cell |`.

    A table has a head in words, and two rows or more with as many cells, numbers among them.
    """
    found: list[str] = []
    run: list[list[str]] = []
    waiting: list[str] = []
    for line in [*lines, ""]:
        cells = _BETWEEN.split(line.strip()) if not is_row(line) else []
        if len(cells) > 1 and (not run or len(cells) == len(run[0])):
            run.append(cells)
            waiting.append(line)
            continue
        found += as_rows(run) if _is_table(run) else waiting
        run, waiting = ([cells], [line]) if len(cells) > 1 else ([], [])
        if not run:
            found.append(line)
    return found[:-1]


def _is_table(run: Sequence[Sequence[str]]) -> bool:
    if len(run) < 3 or is_list(run):
        return False
    columns = list(zip(*run, strict=True))[1:]
    return any(
        not numeric(head) and sum(map(numeric, body)) > 0.6 * len(body) for head, *body in columns
    )
