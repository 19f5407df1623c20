"""`vgpu -n 5 script.py [args]`: run a script on virtual GPUs, then say what they did."""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from grader.errors import UsageError
from grader.processes import Process, Run
from grader.vgpu import install, script, timeline, trace
from grader.vgpu.clock.spec import PRESETS, find
from grader.vgpu.count import read_count
from grader.vgpu.settings import Settings, from_environment, read_memory, to_environment

_WRONG_USAGE = 2
_INTERRUPTED = 130
_DEFAULT_COUNT = "2"
#: A command of torch's own that starts the script's processes.
_TORCHRUN = "torchrun"


@dataclass(frozen=True)
class Job:
    """What to run on which machine, and what to do about it.

    `run` is the script itself, in this process; None where `command` starts processes for it.
    """

    settings: Settings
    run: Callable[[], None] | None
    command: list[str]
    timeout: float | None
    trace_file: Path | None
    timelines: list[Path]


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    help="Run SCRIPT (or torchrun, or -m MODULE), with its arguments, as if this machine had "
    "COUNT GPUs.",
)
@click.option(
    "-n",
    "--gpus",
    "count",
    metavar="COUNT",
    help="GPUs, 0 to 128; 0 is a machine without any. [default: VGPU of the environment, or 2]",
)
@click.option("--dry", is_flag=True, help="Data nowhere: placement, transfers and memory only.")
@click.option("--memory", metavar="SIZE", help="Memory of each GPU, such as 24GB. [default: 80GiB]")
@click.option("--gpu", metavar="KIND", help=f"Kind of GPU: {', '.join(PRESETS)}. [default: A100]")
@click.option(
    "--devices",
    type=click.Choice(["virtual", "cuda", "auto"]),
    help="Virtual GPUs, real ones that are only watched, or whichever this machine has.",
)
@click.option(
    "--on",
    "data",
    type=click.Choice(["cpu", "cuda"]),
    help="Where the data of virtual GPUs live: here, or on the real GPUs there are.",
)
@click.option(
    "--generators",
    type=click.Choice(["shared", "per-device"]),
    help="Random numbers as the CPU's, or of each GPU's own.",
)
@click.option(
    "--clock",
    type=click.Choice(["real", "virtual"]),
    help="The time that the script sees: this machine's, or that of simulated GPUs.",
)
@click.option(
    "--timeline",
    "timelines",
    metavar="FILE",
    multiple=True,
    help="Draw what the simulated GPUs did when: .html, .svg, or .json for a trace viewer.",
)
@click.option("--trace", "trace_file", metavar="FILE", help="Write what the GPUs did, as JSON.")
@click.option("--timeout", metavar="SECONDS", help="End a script that takes longer.")
@click.option("-m", "module", is_flag=True, help="SCRIPT is a module, as in python -m.")
@click.argument("target", metavar="SCRIPT")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(
    count: str | None,
    dry: bool,
    memory: str | None,
    gpu: str | None,
    data: str | None,
    timelines: tuple[str, ...],
    trace_file: str | None,
    timeout: str | None,
    module: bool,
    target: str,
    arguments: tuple[str, ...],
    **machine: str | None,
) -> Job:
    if dry and data:
        raise UsageError("--dry has no data to put anywhere", do="leave out --dry or --on")
    asked = os.environ.get("VGPU", "").strip() or _DEFAULT_COUNT
    settings = from_environment(
        count=read_count(count, "the option -n")
        if count is not None
        else read_count(asked, "the environment variable VGPU"),
        data="meta" if dry else data,
        memory=None if memory is None else read_memory(memory, "the option --memory"),
        gpu=None if gpu is None else find(gpu, "the option --gpu").name,
        timeline=True if timelines else None,
        **machine,
    )
    launches = target == _TORCHRUN and not module and not Path(target).exists()
    if launches and settings.simulates_time:
        raise UsageError(
            "simulated time of several processes",
            do="leave out --clock and --timeline, or run one process",
        )
    return Job(
        settings,
        None
        if launches
        else script.of_module(target, arguments)
        if module
        else script.of_file(target, arguments),
        command=[target, *arguments],
        timeout=None if timeout is None else _seconds(timeout),
        trace_file=None if trace_file is None else _writable(Path(trace_file).absolute()),
        timelines=[_drawable(Path(file).absolute()) for file in timelines],
    )


def _drawable(file: Path) -> Path:
    from grader.vgpu.clock import draw

    draw.check(file)
    return _writable(file)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise UsageError("the option --timeout", expected="seconds above 0", found=repr(text))
    return seconds


def _writable(file: Path) -> Path:
    if not file.parent.is_dir() or file.is_dir():
        kind = "is a folder" if file.is_dir() else "is in a folder that does not exist"
        raise UsageError(f"the output {file} {kind}", do="name a file to write")
    return file


def main() -> None:
    """The console script. Wrong usage is one line and exit code 2."""
    try:
        job = command.main(standalone_mode=False)
        if not isinstance(job, Job):  # --help
            sys.exit(job)
        if job.run is None:
            sys.exit(_launch(job))
        job = _with_trace_folder(job)
        os.environ.update(to_environment(job.settings))  # the script's children too
        install()
    except click.ClickException as error:
        _refuse(error.format_message())
    except UsageError as error:
        _refuse(str(error))
    _run(job)


def _launch(job: Job) -> int:
    """Run what starts processes of its own, and say what all of them did."""
    from grader.vgpu.launch import command_line, launch
    from grader.vgpu.summary import run_summary

    try:
        outcome = launch(command_line(job.command), job.settings, job.timeout)
    except KeyboardInterrupt:
        return _INTERRUPTED
    click.echo(run_summary(outcome.run), err=True)
    _write(job, outcome.run.to_json())
    return outcome.code


def _with_trace_folder(job: Job) -> Job:
    """A place for the traces of processes that the script may start, until this one ends."""
    if job.settings.trace_folder is not None:
        return job
    folder = tempfile.TemporaryDirectory(prefix="vgpu-")
    atexit.register(folder.cleanup)  # before all others, so after them
    return replace(job, settings=replace(job.settings, trace_folder=Path(folder.name)))


def _refuse(message: str) -> NoReturn:
    click.echo(f"vgpu: {message}", err=True)
    sys.exit(_WRONG_USAGE)


def _run(job: Job) -> None:
    """The script's own end is the end: its exit code, its traceback, its farewells."""
    atexit.register(_report, job, os.getpid())  # first in, last out
    if job.timeout is not None:
        from grader.vgpu import watchdog

        watchdog.watch(job.timeout)
    assert job.run is not None
    try:
        job.run()
    except KeyboardInterrupt as error:
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(_INTERRUPTED)


def _report(job: Job, process: int) -> None:
    """Say what the GPUs did; a fork that the script made has nothing to say."""
    if os.getpid() != process:
        return
    from grader.vgpu.launch import read_traces
    from grader.vgpu.summary import run_summary, summary

    recorded, folder = trace(), job.settings.trace_folder
    sys.stdout.flush()
    children = read_traces(folder) if folder is not None else Run()
    if recorded.used() or not children.processes:
        click.echo(summary(recorded), err=True)
    if children.processes:
        click.echo(run_summary(children), err=True)
    own = Process(None, None, process, recorded)
    result = Run.of([own, *children.processes]) if children.processes else recorded
    _write(job, result.to_json())
    if job.settings.simulates_time:
        _draw(job)


def _write(job: Job, recorded: dict[str, Any]) -> None:
    if job.trace_file is not None:
        job.trace_file.write_text(json.dumps(recorded), "utf-8")


def _draw(job: Job) -> None:
    """The simulated timeline, in a few lines and in the files asked for."""
    from grader.vgpu.clock import draw
    from grader.vgpu.clock.summary import summary

    recorded = timeline()
    click.echo(summary(recorded), err=True)
    for file in job.timelines:
        draw.write(recorded, file)
        click.echo(f"timeline: {file}", err=True)


if __name__ == "__main__":
    main()
