"""Peak memory per GPU while training."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.graphics.shapes import Drawing, Line, Rect

from grader.reports.fonts import BOLD
from grader.reports.label import SMALL, label
from grader.reports.runs import Run
from grader.reports.strip import gpu_colour
from grader.reports.style import INK, MUTED


def memory_unit(runs: Sequence[Run]) -> tuple[float, str]:
    """(bytes per unit, its name) in which the largest peak has 1 to 4 digits."""
    largest = max((peak for run in runs for peak in run.memory), default=0)
    for power, name in ((3, "GiB"), (2, "MiB"), (1, "KiB")):
        if largest >= 1024**power:
            return float(1024**power), name
    return 1.0, "bytes"


def memory_columns(runs: Sequence[Run], width: float) -> Drawing:
    """A column per GPU, all runs on one scale, so that the fall from few GPUs to many shows."""
    unit, _ = memory_unit(runs)
    largest = max((peak for run in runs for peak in run.memory), default=0) or 1
    drawing = Drawing(width, 84)
    gap = 20.0
    columns = sum(len(run.memory) for run in runs)
    step = min(34.0, (width - gap * (len(runs) - 1)) / max(columns, 1))
    x = 0.0
    for run in runs:
        for gpu, peak in enumerate(run.memory):
            _column(drawing, x, step, gpu, peak / largest, _short(peak / unit))
            x += step
        left = x - step * len(run.memory)
        drawing.add(Line(left, 22, x, 22, strokeColor=MUTED, strokeWidth=0.6))
        label(drawing, (left + x) / 2, 2, f"{run.gpus} GPUs" if run.gpus > 1 else "1 GPU", BOLD)
        x += gap
    return drawing


def _column(drawing: Drawing, x: float, step: float, gpu: int, share: float, text: str) -> None:
    height = 46 * share
    drawing.add(
        Rect(x + step * 0.12, 22, step * 0.76, height, fillColor=gpu_colour(gpu), strokeColor=None)
    )
    size = min(SMALL, step / max(len(text), 1) * 1.7)
    label(drawing, x + step / 2, 22 + height + 2.5, text, size=size, colour=INK)
    label(drawing, x + step / 2, 13.5, str(gpu), size=min(SMALL, step * 0.8))


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 9.95 else f"{value:.2g}"
