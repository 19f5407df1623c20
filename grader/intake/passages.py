"""Finds what a report says under a heading. Nothing is guessed: whole lines, in their order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from grader.intake import headings
from grader.intake.asked import Asked, repeats
from grader.intake.heading_words import QUESTIONS, TASKS
from grader.intake.reading.rows import is_row
from grader.intake.report_lines import Line, lines_of, wraps
from grader.records import Report

_NOTHING = Asked()


@dataclass(frozen=True)
class Passage:
    """What stands under some headings, word for word, from `page` (the first is 1) on.

    `exact` is False where the innermost heading is missing: then it is the whole task, and
    what was asked for is somewhere in it, or nowhere. `pages` are those of its lines.
    """

    text: str
    page: int
    exact: bool
    pages: tuple[int, ...] = ()


Marks = list[tuple[int, tuple[int, ...]]]  # lines that are headings, and the numbers they bear


def find_passage(report: Report, where: Sequence[str], asked: Asked = _NOTHING) -> Passage | None:
    """The part of a report under the headings `where`, outermost first, word for word.

    ("Task 1", "Q1") is what stands under Q1 within Task 1, headings included, from each such
    heading to the next of its kind. Without the inner heading it is all of Task 1; without
    the outer one it is what stands under the question that a student repeats, or None.
    An outermost heading may also be the title of a task, in any of its wordings.
    """
    if not where:
        return None
    found = _found(lines_of(report, tables=False), where, asked)
    if found is None or not found.exact:  # perhaps the report is one big table
        inside = _found(lines_of(report, tables=True), where, asked)
        if inside is not None and inside.exact:
            return inside
    return found


def _found(lines: list[Line], where: Sequence[str], asked: Asked) -> Passage | None:
    word, number = _label(where[0])
    if number:
        found = _task(lines, word, number, asked)
    else:
        found = _titled(lines, where[0], asked) or _part(lines, where[0])
    if found is None:
        return _passage(_anywhere(lines, where, asked), exact=True)
    exact = True
    for depth in range(1, len(where)):
        path = tuple(where[: depth + 1])
        narrower = _inner(found, path, number, asked)
        exact = exact and narrower is not None
        found = found if narrower is None else narrower
    return _passage(found, exact=exact)


def _passage(found: list[Line] | None, *, exact: bool) -> Passage | None:
    said = [n for n, line in enumerate(found or []) if line.text]
    if not found or not said:
        return None
    kept = found[said[0] : said[-1] + 1]
    text = "\n".join(line.text for line in kept)
    return Passage(text, kept[0].page, exact, tuple(line.page for line in kept))


def _titled(lines: list[Line], title: str, asked: Asked) -> list[Line] | None:
    """From the heading that is a title to the end: what answers say may be a title as well."""
    number = asked.task_titled(title)
    if number is None:
        return None
    marks = [(n, (number,)) for n, line in enumerate(lines) if _title_on(line, asked) == number]
    found = _cut(lines, sorted([*marks[:1], *_endings(lines)]), number)
    # Its own number, as in "3. Questions", is none of a list of answers.
    return [replace(found[0], heading=""), *found[1:]] if found else None


def _title_on(line: Line, asked: Asked) -> int | None:
    part = headings.numbered(line.heading, TASKS[1])  # "Part 4: Questions"
    return asked.task_titled(part.rest if part else line.heading) if line.heading else None


def _anywhere(lines: list[Line], where: Sequence[str], asked: Asked) -> list[Line] | None:
    """Where the question is repeated, to the next one; or under its number, if no task has one."""
    places = {path: _places(lines, asked.questions[path]) for path in asked.questions}
    own = tuple(where)
    marks = [(n, (int(path == own),)) for path, found in places.items() for n in found]
    if places.get(own):
        return _cut(lines, sorted([*marks, *_endings(lines)]), 1)
    number = _label(where[-1])[1]
    if len(where) < 2 or number is None or _label(where[0])[1] is not None:
        return None
    return _cut(lines, sorted([*_by_words(lines, QUESTIONS), *_endings(lines)]), number)


def _label(label: str) -> tuple[str, int | None]:
    """The word and the number of a label: "Task 1", "Q2", "Table"."""
    text = label.strip().lower()
    word = text.rstrip("0123456789")
    return word.strip(), int(text[len(word) :]) if len(word) < len(text) else None


# ---------------------------------------------------------------------- sections


def _cut(lines: list[Line], marks: Marks, number: int) -> list[Line] | None:
    """The lines under every heading with this number, joined in order.

    Headings with nothing under them are an overview, where the same one comes again.
    """
    ends = [*(n for n, _ in marks), len(lines)]
    parts = [
        lines[start:end]
        for (start, end), (_, numbers) in zip(pairwise(ends), marks, strict=True)
        if number in numbers
    ]
    full = [part for part in parts if _says_something(part)]
    chosen = full or parts
    return [line for part in chosen for line in part] or None


def _says_something(part: list[Line]) -> bool:
    """Whether there is more than a heading: lines below it, or an answer on its own line."""
    if not part:
        return False
    rest = part[0].heading
    on_it = len(rest.split()) > 6 or headings.part(rest) is not None
    return on_it or any(line.text for line in part[1:])


# ---------------------------------------------------------------------- tasks


def _task(lines: list[Line], word: str, number: int, asked: Asked) -> list[Line] | None:
    groups: list[tuple[str, ...]] = [group for group in TASKS if word in group] or [(word,)]
    groups += [group for group in TASKS if group not in groups]
    own: tuple[str, ...] = (word, *groups[0])
    marks = _with_titles(lines, _by_words(lines, own), own, asked)
    if _counted(marks) < 2 and not _has(marks, number):
        enough = max(3, len(asked.titles) - 1)
        others: list[tuple[Marks, tuple[str, ...]]] = [
            (_by_words(lines, group), group) for group in groups[1:]
        ]
        others.append((_by_numbers(lines, enough), ()))
        fitting = (pair for pair in others if _counted(pair[0]) >= enough)
        marks, own = next(fitting, (marks, own))
    if not _has(marks, number):  # "1. Current behaviour" is a title, "2. Bigger model" a number
        in_turn = _by_numbers(lines, max(3, len(asked.titles) - 1))
        marks = in_turn if marks and set(marks) <= set(in_turn) else marks
    marks = sorted([*marks, *_endings(lines)])
    marked = {n: _after_heading(lines[n], own) for n, _ in marks}
    return _cut([marked.get(n, line) for n, line in enumerate(lines)], marks, number)


def _endings(lines: list[Line]) -> Marks:
    return [(n, ()) for n, line in enumerate(lines) if headings.is_ending(line.heading)]


def _after_heading(line: Line, words: Sequence[str]) -> Line:
    """A task's own line: what stands behind its number may be the heading of a question."""
    found = headings.numbered(line.heading, words) if words else None
    return replace(line, heading=found.rest.lstrip(" .,:/–—-") if found else line.heading)


def _by_words(lines: list[Line], words: Sequence[str]) -> Marks:
    found = ((n, headings.numbered(line.heading, words)) for n, line in enumerate(lines))
    marks = [(n, heading.numbers) for n, heading in found if heading is not None]
    sure = {number for n, numbers in marks if not wraps(lines, n) for number in numbers}
    return [(n, own) for n, own in marks if not (wraps(lines, n) and set(own) <= sure)]


def _with_titles(lines: list[Line], marks: Marks, words: Sequence[str], asked: Asked) -> Marks:
    """Add the titles of tasks that have no heading with a number, "Task 1 use all GPUs" too."""
    known = {number for _, numbers in marks for number in numbers}
    taken = {n for n, _ in marks}
    titled: Marks = []
    for n, line in enumerate(lines):
        if line.heading and n not in taken:
            number = asked.task_titled(headings.without_number(line.heading, words))
            if number is not None and number not in known:
                titled.append((n, (number,)))
    return sorted([*marks, *titled])


def _by_numbers(lines: list[Line], enough: int) -> Marks:
    """Tasks with nothing but a number: 1, 2, 3 in one style, each once and in order."""
    styles: dict[str, list[tuple[int, int]]] = {}
    for n, line in enumerate(lines):
        if line.heading and (found := headings.bare(line.heading)) is not None:
            styles.setdefault(found[1], []).append((n, found[0]))
    for marks in styles.values():
        numbers = [number for _, number in marks]
        if len(numbers) >= enough and numbers == list(range(1, len(numbers) + 1)):
            return [(n, (number,)) for n, number in marks]
    pairs = [(n, headings.dotted(line.heading)) for n, line in enumerate(lines) if line.heading]
    return [(n, (pair[0],)) for n, pair in pairs if pair is not None]


def _counted(marks: Marks) -> int:
    return len({number for _, numbers in marks for number in numbers})


def _has(marks: Marks, number: int) -> bool:
    return any(number in numbers for _, numbers in marks)


# ---------------------------------------------------------------------- within a task


def _inner(
    lines: list[Line], path: tuple[str, ...], task: int | None, asked: Asked
) -> list[Line] | None:
    word, number = _label(path[-1])
    if number is None:
        return _part(lines, path[-1]) or _repeated(lines, path, asked)
    words = QUESTIONS if word in QUESTIONS else (word,)
    ways: list[Callable[[], Marks]] = [
        lambda: sorted([*_by_words(lines, words), *_dotted(lines, task)]),
        lambda: _by_questions(lines, path, asked),
        lambda: _in_turn(lines, headings.lettered),
        lambda: _in_turn(lines, headings.listed),
    ]
    for way in ways:
        marks = way()
        if _has(marks, number):
            return _cut(lines, marks, number)
    return None


def _dotted(lines: list[Line], task: int | None) -> Marks:
    pairs = ((n, headings.dotted(line.heading)) for n, line in enumerate(lines) if line.heading)
    return [(n, (pair[1],)) for n, pair in pairs if pair is not None and pair[0] == task]


def _in_turn(lines: list[Line], read: Callable[[str], int | None]) -> Marks:
    """Items 1, 2, 3 of one list; nothing where there are more lists or none."""
    found = [(n, number) for n, line in enumerate(lines) if (number := read(line.heading))]
    numbers = [number for _, number in found]
    if len(numbers) < 2 or numbers != list(range(1, len(numbers) + 1)):
        return []
    return [(n, (number,)) for n, number in found]


def _by_questions(lines: list[Line], path: tuple[str, ...], asked: Asked) -> Marks:
    """Where the questions of this task are repeated; the number is that of the label."""
    marks: Marks = []
    for where, wordings in asked.questions.items():
        if where[:-1] != path[:-1]:
            continue
        number = _label(where[-1])[1] or 0
        marks += [(n, (number,)) for n in _places(lines, wordings)]
    return sorted(marks)


def _places(lines: list[Line], wordings: Iterable[str]) -> list[int]:
    return [
        n
        for n, line in enumerate(lines)
        if line.heading
        and any(repeats(wording, [x.text for x in lines[n : n + 3]]) for wording in wordings)
    ]


def _repeated(lines: list[Line], path: tuple[str, ...], asked: Asked) -> list[Line] | None:
    """From where a question is repeated to the next part."""
    places = _places(lines, asked.questions.get(path, ()))
    if not places:
        return None
    parts = (n for n, line in enumerate(lines) if n > places[0] and headings.part(line.heading))
    return lines[places[0] : next(parts, len(lines))]


# ---------------------------------------------------------------------- parts


def _part(lines: list[Line], label: str) -> list[Line] | None:
    """The lines under every such part; None where there is none, or a table without rows."""
    meant = headings.kinds_meant(label)
    # An answer goes on around a table or code that stands in it.
    within = {"table", "code"} if meant == {"answer"} else set()
    kinds = ((n, _kind(line.heading, meant)) for n, line in enumerate(lines))
    marks = [(n, kind) for n, kind in kinds if kind is not None and kind not in within]
    ends = [*(n for n, _ in marks), len(lines)]
    parts = [
        (start, end)
        for (start, end), (_, kind) in zip(pairwise(ends), marks, strict=True)
        if kind in meant
    ]
    if "table" in meant:
        return _tables(lines, parts)
    return [line for start, end in parts for line in lines[start:end]] or None


def _kind(heading: str, meant: set[str]) -> str | None:
    kind = headings.part(heading) if heading else None
    if kind is None and heading:
        word = heading.strip("#*_:. ").lower()
        return word if word in meant else None
    return kind


def _tables(lines: list[Line], parts: list[tuple[int, int]]) -> list[Line] | None:
    """Parts that hold rows, and rows elsewhere with the caption above or below them."""
    rows = [n for n, line in enumerate(lines) if is_row(line.text)]
    kept = {n for a, b in parts if (any(a <= r < b for r in rows) or not rows) for n in range(a, b)}
    captions = {a for a, _ in parts}
    for n in rows:
        kept |= {n} | ({n - 1, n + 1} & captions)
    if not rows and sum(bool(re.search(r"\d", lines[n].text)) for n in kept - captions) < 2:
        return None
    return [lines[n] for n in sorted(kept)] or None
