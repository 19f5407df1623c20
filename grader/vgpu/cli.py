"""`vgpu -n 5 script.py [args]`: run a script on virtual GPUs, then say what they did."""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import NoReturn

import click

from grader.errors import UsageError
from grader.vgpu import install, trace
from grader.vgpu.count import read_count

_WRONG_USAGE = 2
_INTERRUPTED = 130
_OURS = f"{Path(__file__).parent}{os.sep}"


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    help="Run SCRIPT, with its arguments, as if this machine had COUNT GPUs.",
)
@click.option(
    "-n",
    "--gpus",
    "count",
    metavar="COUNT",
    help="GPUs, 0 to 128. [default: VGPU of the environment, or 2]",
)
@click.argument("script", type=click.Path())
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(count: str | None, script: str, arguments: tuple[str, ...]) -> None:
    path = Path(script)
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise UsageError(f"the script {script} {kind}", do="name a Python file")
    if count is not None:
        os.environ["VGPU"] = str(read_count(count, "the option -n"))  # the script's children too
    os.environ.setdefault("VGPU", "2")
    install()
    sys.exit(_run(path, arguments))


def main() -> None:
    """The console script. Wrong usage is one line and exit code 2."""
    try:
        command.main(standalone_mode=False)
    except click.exceptions.Exit as wanted:
        sys.exit(wanted.exit_code)
    except click.ClickException as error:
        _refuse(error.format_message())
    except UsageError as error:
        _refuse(str(error))


def _refuse(message: str) -> NoReturn:
    click.echo(f"vgpu: {message}", err=True)
    sys.exit(_WRONG_USAGE)


def _run(path: Path, arguments: tuple[str, ...]) -> int:
    """Run the script as Python would, report on stderr, and answer its own exit code."""
    from grader.vgpu.summary import summary

    sys.argv = [str(path), *arguments]
    sys.path[0] = str(path.resolve().parent)
    try:
        runpy.run_path(str(path), run_name="__main__")
        code = 0
    except SystemExit as wanted:
        code = _exit_code(wanted)
    except KeyboardInterrupt as error:
        _show(error, path)
        code = _INTERRUPTED
    except Exception as error:
        _show(error, path)
        code = 1
    sys.stdout.flush()
    click.echo(summary(trace()), err=True)
    return code


def _exit_code(wanted: SystemExit) -> int:
    """What Python makes of sys.exit(...): text goes to stderr and means 1."""
    if wanted.code is None or isinstance(wanted.code, int):
        return wanted.code or 0
    click.echo(str(wanted.code), err=True)
    return 1


def _show(error: BaseException, script: Path) -> None:
    """Print the traceback from the script on, without our own lines."""
    report = traceback.TracebackException.from_exception(error)
    _clean(report, script)
    sys.stdout.flush()
    click.echo("".join(report.format()), err=True, nl=False)


def _clean(report: traceback.TracebackException, script: Path) -> None:
    frames = [
        frame for frame in report.stack if not frame.filename.startswith((_OURS, "<frozen runpy"))
    ]
    first = next((i for i, frame in enumerate(frames) if frame.filename == str(script)), 0)
    report.stack = traceback.StackSummary.from_list(frames[first:])
    for chained in (report.__cause__, report.__context__):
        if chained is not None:
            _clean(chained, script)


if __name__ == "__main__":
    main()
