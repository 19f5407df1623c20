"""A results folder: a folder per hand-in, and the tables of all of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from grader import exports
from grader.errors import UsageError
from grader.files import is_temporary, write_bytes, write_json
from grader.records import InCommon, Score

SCORE = "score.json"
PAGE = "page-{}.jpg"
REVIEW = "review.csv"
GRADEBOOK = "gradebook.csv"
SIMILAR = "similar.csv"


def make(out: Path) -> None:
    """Make the folder; UsageError where that cannot be."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise UsageError(
            f"results cannot be written to {out}",
            found=str(error),
            do="name another folder with --out",
        ) from error


def sweep(out: Path) -> None:
    """Remove what a killed run left half-written. Only for who holds the folder's lock."""
    for folder in (out, *(child for child in out.iterdir() if child.is_dir())):
        for file in folder.glob(".*"):
            if is_temporary(file.name):
                file.unlink(missing_ok=True)


def write(out: Path, score: Score) -> None:
    """Write a score, whole."""
    write_json(out / score.submission / SCORE, score.to_json())


def write_pages(folder: Path, pages: Mapping[int, bytes]) -> tuple[str, ...]:
    """Write pictures of pages of a report, in the place of earlier ones; their names."""
    for old in folder.glob(PAGE.format("*")):
        old.unlink()
    for number, picture in pages.items():
        write_bytes(folder / PAGE.format(number), picture)
    return tuple(PAGE.format(number) for number in sorted(pages))


def read(out: Path, submission: str) -> Score | None:
    """A stored score; None where there is none, or none that can be read."""
    try:
        return _read(out / submission / SCORE)
    except (OSError, UsageError):
        return None


def stored(out: Path) -> Iterator[Score]:
    """All scores of a results folder, by id, read one at a time.

    Raises UsageError where a file is no score.
    """
    for file in sorted(out.glob(f"*/{SCORE}"), key=lambda file: file.parent.name):
        yield _read(file)


def none_in(out: Path) -> UsageError:
    """Why a folder without results is refused."""
    return UsageError(
        f"{out} holds no results",
        expected="a folder with <id>/score.json in it",
        do="run `grade SUBMISSIONS` first, and name its --out folder here",
    )


def _read(file: Path) -> Score:
    try:
        return Score.from_json(json.loads(file.read_bytes()))
    except ValueError as error:
        raise UsageError(
            f"{file} is not a score", found=str(error), do="remove it, and grade again"
        ) from error


def without_texts(score: Score) -> Score:
    """A score for tables: its points and a person's words, without the long parts.

    A class of a thousand is held in memory as these.
    """
    short = (
        replace(
            c,
            evidence="",
            hint=None,
            where=None,
            title="",
            found=None,
            question=None,
            operator=None,
        )
        for c in score.criteria
    )
    return replace(score, criteria=tuple(short), observations=(), tasks=(), notes=())


def write_tables(
    out: Path,
    scores: Collection[Score],
    in_common: Sequence[InCommon],
    drafts: exports.Drafts = exports.NO_DRAFTS,
) -> set[exports.Place]:
    """Write gradebook.csv, similar.csv and review.csv; returns the drafts that have no row.

    `scores` are all that are stored, with or without their texts.
    """
    exports.write_gradebook(out / GRADEBOOK, scores)
    names = {score.submission: score.student.name for score in scores}
    exports.write_similar(out / SIMILAR, in_common, names)
    return exports.write_review(out / REVIEW, stored(out), drafts, in_common)
