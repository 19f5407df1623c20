"""The command `grade`: parse, show, exit code. Everything else is imported when it is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader import __version__

if TYPE_CHECKING:
    from grader.doctor import Finding
    from grader.grading.classes import Progress
    from grader.records import ClassResult, Score, Similar

WRONG_USAGE = 2
OUR_FAULT = 1
STOPPED = 128  # plus the signal's number, as shells have it


class GradeGroup(click.Group):
    """`grade FOLDER` is short for `grade class FOLDER`; subcommands win over folders."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `class` in front where the first word is no subcommand."""
        own = {"--help", "--version"}
        if args and args[0] not in self.commands and args[0] not in own:
            args = ["class", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Show our own errors as one clear message, with the exit code that fits."""
        from grader.errors import GraderError, UsageError

        try:
            return super().invoke(ctx)
        except GraderError as error:
            click.echo(f"grade: {error}", err=True)
            ctx.exit(WRONG_USAGE if isinstance(error, UsageError) else OUR_FAULT)


@click.group(cls=GradeGroup, no_args_is_help=True)
@click.version_option(__version__, prog_name="grade")
def main() -> None:
    """Grade multi-GPU PyTorch homework, with evidence for every point.

    \b
    grade submissions/         grade a class folder into results/
    grade confirm results/     take a person's points from results/review.csv
    grade new hw3 my-homework  a fresh copy of the starter files, for students
    grade doctor               what this machine can do, and what it holds against
    """  # noqa: D301 - click reads the \b


@main.command("class")
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--assignment", help="Which assignment; class.toml may say it too.  [default: hw3]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Where results go.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    help="Hand-ins graded at a time.  [default: one per processor]",
)
@click.option(
    "--seed", help="Draw the same sizes, weights and data as an earlier run (score.json)."
)
@click.option("--force", is_flag=True, help="Grade anew even where nothing has changed.")
@click.option("--only", multiple=True, metavar="ID", help="Look at this hand-in only; repeatable.")
@click.option(
    "--trust-submissions",
    is_flag=True,
    help="Run student code even where this machine cannot confine it.",
)
@click.option("--since", metavar="WHEN", help="Look at hand-ins that arrived since, as 2026-04-30.")
def class_(
    submissions: Path,
    assignment: str | None,
    out: Path,
    jobs: int,
    seed: str | None,
    force: bool,
    only: tuple[str, ...],
    trust_submissions: bool,
    since: str | None,
) -> None:
    """Grade every hand-in in the folder SUBMISSIONS (`class` may be left out).

    SUBMISSIONS is a folder, or the zip or tarball that a learning platform makes of a class.

    A second run grades what has changed since: hand-in, rubric, checks or grader. It also goes on
    where a run was stopped.

    Exit code: 0 all were graded, 1 some could not be graded for a reason of ours, 2 wrong usage,
    130 stopped by Ctrl-C.
    """
    from grader import grading

    choice = grading.Choice(force, only, grading.read_moment(since) if since else None, seed)
    with _progress_bar() as progress:
        result = grading.grade_class(
            submissions,
            out,
            assignment=assignment,
            jobs=jobs,
            choice=choice,
            trust=trust_submissions,
            progress=progress,
        )
    _show(result, out)
    if result.stopped:
        sys.exit(STOPPED + result.stopped)
    sys.exit(OUR_FAULT if result.failed or result.fault else 0)


@main.command()
@click.argument("results", type=click.Path(path_type=Path))
def confirm(results: Path) -> None:
    """Take the points and comments filled in RESULTS/review.csv, and render again."""
    from grader import grading

    scores = grading.confirm(results)
    waiting = sum(s.pending > 0 for s in scores)
    _table(scores)
    click.echo(f"{len(scores)} reports written again; {waiting} still wait for a person.")


@main.command()
@click.argument("assignment")
@click.argument("folder", type=click.Path(path_type=Path))
def new(assignment: str, folder: Path) -> None:
    """Put a fresh copy of the starter files of ASSIGNMENT into FOLDER."""
    import shutil

    from grader.errors import UsageError
    from grader.rubric import assignment_folder

    template = assignment_folder(assignment, "student_template")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} already has something in it",
            expected="an empty or a new folder",
            do="name another one; nothing was written",
        )
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(template, folder, dirs_exist_ok=True, ignore=ignore)
    click.echo(f"{folder} is ready. Next: edit the script in it, then run  pytest {folder}")


@main.command()
@click.option(
    "--without",
    multiple=True,
    metavar="FEATURE",
    callback=lambda *given: _known_features(given[-1]),
    help="Leave a feature out, to see what a lesser machine would hold; may be repeated.",
)
def doctor(without: tuple[str, ...]) -> None:
    """Try hostile programs against this machine's sandbox, and tell what else matters here.

    Exit code: 0 all was contained, 1 something was not or is missing.
    """
    from grader import doctor as doctors
    from grader.sandbox.features import Rung
    from grader.sandbox.zygote_host import Zygote

    found = list(doctors.facts())
    for fact in found:
        _line(fact.ok, fact.name, fact.text)
    with Zygote(preload=(), without=without) as zygote:
        click.echo(f"\nsandbox: {zygote.features.rung}")
        for name, text in zygote.features.described():
            click.echo(f"  {name:<12}{text}")
        click.echo("\nhostile programs")
        if zygote.features.rung is Rung.LIMITS:
            click.echo("      not run: nothing here would hold them")
            sys.exit(OUR_FAULT)
        findings = []
        for name in doctors.program_names():
            findings.append(doctors.try_program(zygote, name))
            _finding(findings[-1])
    contained = sum(f.contained for f in findings)
    click.echo(f"\n{contained} of {len(findings)} contained.")
    sys.exit(0 if contained == len(findings) and all(f.ok for f in found) else OUR_FAULT)


# -------------------------------------------------------------- what is shown


def _known_features(names: tuple[str, ...]) -> tuple[str, ...]:
    from grader.sandbox.features import OPTIONAL

    if unknown := [name for name in names if name not in OPTIONAL]:
        raise click.BadParameter(f"{', '.join(unknown)}; expected {', '.join(OPTIONAL)}")
    return names


def _line(ok: bool, name: str, text: str) -> None:
    mark = click.style("ok  ", fg="green") if ok else click.style("FAIL", fg="red", bold=True)
    click.echo(f"{mark}  {name:<14}{text}")


def _finding(finding: Finding) -> None:
    _line(finding.contained, finding.name, finding.tries)
    how = f"{finding.ended}, {finding.seconds:.1f} s"
    colour = "red" if finding.problems else None
    for text in finding.problems or (how,):
        click.secho(f"      {'':<14}{text[:200]}", fg=colour, dim=finding.contained)


@contextmanager
def _progress_bar() -> Iterator[Progress]:
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


def _show(result: ClassResult, out: Path) -> None:
    _table(result.scores)
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


def _table(scores: list[Score]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for header in ("hand-in", "name"):
        table.add_column(header, overflow="fold")
    for header in ("points", "waiting", "suggested", "of"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for s in scores:
        lost = f" ({s.late_points:g} points lost)" if s.late_points else ""
        remark = s.problem or (f"late: {s.late}{lost}" if s.late else "")
        waiting = (f"{s.pending:g}", f"{s.suggested:g}") if s.pending else ("", "")
        numbers = (f"{s.total:g}", *waiting, f"{s.possible:g}")
        table.add_row(s.submission, s.student.name or "", *numbers, remark)
    Console(highlight=False, markup=False).print(table)


if __name__ == "__main__":
    main()
