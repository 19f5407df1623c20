"""The command `grade`: parse, show, exit code. Everything else is imported when it is needed."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from grader import __version__, terminal

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

    \b
    grade assignments          those that there are
    grade new-assignment NAME  a small one that is right, to begin with
    grade check-assignment NAME  whether an assignment is right
    """  # noqa: D301 - click reads the \b


_jobs = click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=lambda: os.cpu_count() or 1,
    help="Hand-ins graded at a time.  [default: one per processor]",
)
_home = click.option(
    "--assignments",
    "home",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Where your own assignments are: rubrics/, reference/ and student_template/ are in it.  "
    "[default: GRADE_ASSIGNMENTS]",
)


@main.command("class")
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("--assignment", help="Which assignment; class.toml may say it too.  [default: hw3]")
@_home
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Where results go.",
)
@_jobs
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
    home: Path | None,
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
    with terminal.progress_bar() as progress:
        result = grading.grade_class(
            submissions,
            out,
            assignment=assignment,
            home=home,
            jobs=jobs,
            choice=choice,
            trust=trust_submissions,
            progress=progress,
        )
    terminal.class_result(result, out)
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
    terminal.table(scores)
    click.echo(f"{len(scores)} reports written again; {waiting} still wait for a person.")


@main.command()
@click.argument("assignment")
@click.argument("folder", type=click.Path(path_type=Path))
@_home
def new(assignment: str, folder: Path, home: Path | None) -> None:
    """Put a fresh copy of the starter files of ASSIGNMENT into FOLDER."""
    from grader.assignment import copy_template, find

    copy_template(find(assignment, home), folder)
    click.echo(f"{folder} is ready. Next: edit the script in it, then run  pytest {folder}")


@main.command("assignments")
@_home
def assignments_(home: Path | None) -> None:
    """List the assignments that there are."""
    from grader.assignment import assignments
    from grader.errors import UsageError
    from grader.rubric import load_rubric

    for found in assignments(home):
        try:
            rubric = load_rubric(found)
            told = f"{rubric.title}; {rubric.possible:g} points"
        except UsageError as error:
            count = len(str(error).splitlines())
            told = f"{count} to correct in its rubric: grade check-assignment {found.name}"
        click.echo(f"{found.name:<14}{told}  ({found.checks})")


@main.command("new-assignment")
@click.argument("name")
@_home
def new_assignment(name: str, home: Path | None) -> None:
    """Make a new assignment NAME: a small one that is right, for you to change."""
    from grader import authoring

    made = authoring.write_starter(name, home)
    for folder in (made.checks, made.reference, made.template):
        click.echo(folder)
    where = f" --assignments {home}" if home else ""
    click.echo(f"It is right as it is. Change it, then run  grade check-assignment {name}{where}")


@main.command("check-assignment")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@_home
@_jobs
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Keep the reports of its reference and wrong hand-ins here.",
)
def check_assignment(names: Sequence[str], home: Path | None, jobs: int, out: Path | None) -> None:
    """Say whether the assignments NAME... are right.

    Rubric and checks must fit each other. The reference must earn all points, each wrong hand-in
    must lose what it says, and scripts with nothing in them must earn nothing.

    Exit code: 0 all is right, 1 something is to be corrected, 2 wrong usage.
    """
    from grader import authoring
    from grader.assignment import find

    right = True
    for assignment in [find(name, home) for name in names]:
        kept = out and (out / assignment.name if len(names) > 1 else out)
        with terminal.progress_bar() as progress:
            found = authoring.review(assignment, out=kept, jobs=jobs, progress=progress)
        terminal.review(assignment.name, found)
        right = right and not found.faults
        if found.stopped:
            sys.exit(STOPPED + found.stopped)
    sys.exit(0 if right else OUR_FAULT)


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
        terminal.line(fact.ok, fact.name, fact.text)
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
            terminal.finding(findings[-1])
    contained = sum(f.contained for f in findings)
    click.echo(f"\n{contained} of {len(findings)} contained.")
    sys.exit(0 if contained == len(findings) and all(f.ok for f in found) else OUR_FAULT)


# -------------------------------------------------------------- what is shown


def _known_features(names: tuple[str, ...]) -> tuple[str, ...]:
    from grader.sandbox.features import OPTIONAL

    if unknown := [name for name in names if name not in OPTIONAL]:
        raise click.BadParameter(f"{', '.join(unknown)}; expected {', '.join(OPTIONAL)}")
    return names


if __name__ == "__main__":
    main()
