"""What was seen when the code ran: layer strips, memory, losses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from reportlab.platypus import KeepTogether, Spacer, Table, TableStyle

from grader.reports import style
from grader.reports.blocks import NO_PADDING, Flowables, heading, labelled, plain, section
from grader.reports.loss_curve import Curve, loss_chart
from grader.reports.memory import memory_columns, memory_unit
from grader.reports.runs import Run
from grader.reports.strip import layer_strip
from grader.reports.text import few_lines
from grader.reports.wording import say

TITLE = "Where each layer ran"
ON_ONE_PAGE = 100  # layers, in all strips together
ERROR = 400  # longest text, in characters
BESIDE = 9  # memory columns that leave room for the loss curve on their right
GAP = 22.0  # points


def layers(runs: Sequence[Run]) -> Flowables:
    """Where each layer ran, a strip per number of GPUs."""
    if not runs:
        return []
    earlier: list[Run | None] = [None, *runs]
    first, *others = [_run(run, before) for run, before in zip(runs, earlier, strict=False)]
    apart = [[Spacer(1, 5), *other] for other in others]
    if any(run.placement for run in runs):
        (apart or [first])[-1].extend([Spacer(1, 4), plain(say("strip_note"), style.NOTE)])
    if sum(len(run.placement) for run in runs) <= ON_ONE_PAGE:
        return [section(TITLE, first + [part for other in apart for part in other])]
    return [section(TITLE, first), *map(KeepTogether, apart)]


def _run(run: Run, before: Run | None) -> Flowables:
    changes = sum(before != after for before, after in pairwise(run.placement))
    facts = say("run_facts", run, changes)
    parts: Flowables = [labelled(say("run_caption", run), facts)]
    if run.placement:
        parts += [Spacer(1, 2), layer_strip(run.placement, style.WIDTH)]
    if run.errors:
        again = before is not None and before.errors == run.errors
        error = few_lines(say("run_error", run, again), ERROR, 5)
        parts += [Spacer(1, 3), plain(error, style.CELL)]
    return parts


def measurements(runs: Sequence[Run]) -> Flowables:
    """Memory per GPU and the loss curve: side by side where the columns leave room for it."""
    measured = [run for run in runs if any(run.memory)]
    trained = [run for run in runs if run.losses]
    if measured and trained and sum(len(run.memory) for run in measured) <= BESIDE:
        left, right = style.WIDTH * 0.45, style.WIDTH * 0.55
        pair = [[_memory(measured, left - GAP), _losses(trained, right)]]
        look = [
            *NO_PADDING,
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("RIGHTPADDING", (0, 0), (0, 0), GAP),
        ]
        return [Spacer(1, 13), Table(pair, colWidths=[left, right], style=TableStyle(look))]
    parts = [_memory(measured, style.WIDTH)] if measured else []
    parts += [_losses(trained, style.WIDTH)] if trained else []
    return [KeepTogether([Spacer(1, 13), *part]) for part in parts]


def _memory(runs: Sequence[Run], width: float) -> Flowables:
    note = say("memory_note", memory_unit(runs)[1])
    chart = memory_columns(runs, width)
    return [*heading("Memory per GPU"), chart, Spacer(1, 3), plain(note, style.NOTE)]


def _losses(runs: Sequence[Run], width: float) -> Flowables:
    """Runs with the same losses share one line, and the text says so."""
    groups = _same_losses(run for run in runs if run.usable_losses)
    counts = [[run.gpus for run in group] for group in groups]
    curves = [
        Curve(say("curve_label", gpus), group[0].usable_losses)
        for gpus, group in zip(counts, groups, strict=True)
    ]
    stopped = [run for run in runs if len(run.usable_losses) < len(run.losses)]
    chart = [loss_chart(curves, width), Spacer(1, 3)] if curves else []
    note = plain(say("loss_note", counts, stopped), style.NOTE)
    return [*heading("Loss while training"), *chart, note]


def _same_losses(runs: Iterable[Run]) -> list[list[Run]]:
    groups: dict[tuple[float, ...], list[Run]] = {}
    for run in runs:
        groups.setdefault(run.usable_losses, []).append(run)
    return list(groups.values())
