"""What commands print: tables, findings, a bar. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.authoring import Review
    from grader.doctor import Finding
    from grader.grading.classes import Progress
    from grader.records import ClassResult, Score, Similar


def line(ok: bool, name: str, text: str) -> None:
    """One thing that is right or not."""
    mark = click.style("ok  ", fg="green") if ok else click.style("FAIL", fg="red", bold=True)
    click.echo(f"{mark}  {name:<15}{text}")


def finding(found: Finding) -> None:
    """What came of one hostile program."""
    line(found.contained, found.name, found.tries)
    how = f"{found.ended}, {found.seconds:.1f} s"
    colour = "red" if found.problems else None
    for text in found.problems or (how,):
        click.secho(f"      {'':<14}{text[:200]}", fg=colour, dim=found.contained)


def review(name: str, found: Review) -> None:
    """What was found of an assignment."""
    click.secho(name, bold=True)
    for part in found.findings:
        if part.faults is None:
            click.secho(f"      {part.part:<15}{part.told}", dim=True)
            continue
        line(not part.faults, part.part, part.told)
        for fault in part.faults:
            click.secho(f"        {fault}", fg="red")
    for advice in found.advice:
        click.echo(f"note  {advice}")
    click.echo(f"{len(found.faults)} to correct." if found.faults else "All is right.")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar that goes when it is done; what it yields moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[running]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("grading", total=None, running="")

        def show(done: int, total: int, running: Sequence[str]) -> None:
            bar.update(task, total=total, completed=done, running=", ".join(running))

        yield show


def class_result(result: ClassResult, out: Path) -> None:
    """The table of points, and what an instructor wants to know beside it."""
    table(result.scores)
    for line in result.ignored:
        click.echo(f"ignored: {line}")
    for student in result.missing:
        click.echo(f"nothing handed in: {student.id} ({student.label})")
    for submission, reason in sorted(result.excused.items()):
        click.echo(f"excused: {submission}: {reason}")
    for submission, why in sorted(result.failed.items()):
        click.echo(f"not graded, our fault: {submission}: {why}", err=True)
    for score in result.scores:
        if score.suspicions:
            click.echo(f"to look at: {score.submission}: {score.suspicions[0]}{_more(score)}")
    if result.fault:
        click.echo(result.fault, err=True)
    waiting = [s for s in result.scores if s.pending]
    click.echo(f"{_counts(result)}. Reports, class.pdf and gradebook.csv are in {out}/.")
    _show_similar(result.similar, len(result.scores), out)
    if result.stopped:
        click.echo(
            f"Stopped before the end: {result.left} still to be graded. What is finished is kept; "
            "the same command goes on."
        )
    if result.kept:
        click.echo(f"What was filled in after an earlier run is kept in {result.kept}.")
    if waiting:
        click.echo(
            f"{len(waiting)} wait for a person: fill in {out / 'review.csv'}, "
            f"then run  grade confirm {out}"
        )


def _show_similar(similar: Similar, size: int, out: Path) -> None:
    if similar.in_common:
        number = f"{similar.pairs} pair{'' if similar.pairs == 1 else 's'} of hand-ins"
        number = f"More than {number}" if similar.cut else number
        click.echo(f"{number} with much in common: {out / 'similar.csv'} says what, and where.")
    if not similar.code and size > 1:
        click.echo("The code of hand-ins was not compared; for that, run  pip install copydetect")
    if similar.fault:
        click.echo(f"hand-ins were not compared, our fault: {similar.fault}", err=True)


def _more(score: Score) -> str:
    others = len(score.suspicions) - 1
    return f" (and {others} more, in score.json)" if others else ""


def _counts(result: ClassResult) -> str:
    graded = f"{result.graded} hand-in" + ("" if result.graded == 1 else "s") + " graded"
    rescored = f"{result.rescored} scored again from what was seen before"
    unchanged = f"{result.unchanged} unchanged"
    counts = [rescored] if result.rescored else []
    counts += [unchanged] if result.unchanged else []
    return ", ".join([graded, *counts])


def table(scores: list[Score]) -> None:
    """A line for each hand-in."""
    from rich.console import Console
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, header_style="bold")
    for header in ("hand-in", "name"):
        rows.add_column(header, overflow="fold")
    for header in ("points", "waiting", "suggested", "of"):
        rows.add_column(header, justify="right", no_wrap=True)
    rows.add_column("", overflow="fold")
    for s in scores:
        lost = f" ({s.late_points:g} points lost)" if s.late_points else ""
        remark = s.problem or (f"late: {s.late}{lost}" if s.late else "")
        waiting = (f"{s.pending:g}", f"{s.suggested:g}") if s.pending else ("", "")
        numbers = (f"{s.total:g}", *waiting, f"{s.possible:g}")
        rows.add_row(s.submission, s.student.name or "", *numbers, remark)
    Console(highlight=False, markup=False).print(rows)
