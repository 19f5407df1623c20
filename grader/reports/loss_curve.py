"""The loss of each training step, a line per number of GPUs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine

from grader.reports.label import label
from grader.reports.style import INK, LINE_COLOURS, RULE

LEFT, BOTTOM, PLOT_HEIGHT = 38.0, 24.0, 84.0
DASHES = (None, (4.0, 2.0), (1.5, 2.0), (6.0, 2.0, 1.5, 2.0))


@dataclass(frozen=True)
class Curve:
    """One line of the loss chart: y at steps 1, 2, ...; all finite."""

    name: str
    losses: tuple[float, ...]


def loss_chart(curves: Sequence[Curve], width: float) -> Drawing:
    """Loss against training step, with a legend of one row per curve above the plot."""
    legend = 11.0 * len(curves) + 8
    drawing = Drawing(width, BOTTOM + PLOT_HEIGHT + legend)
    ticks, decimals = _ticks([loss for curve in curves for loss in curve.losses])
    steps = max(len(curve.losses) for curve in curves)
    axes = _Axes(steps, ticks[0], ticks[-1], width - LEFT - 8)
    for tick in ticks:
        y = axes.at(1, tick)[1]
        drawing.add(Line(LEFT, y, width - 8, y, strokeColor=RULE, strokeWidth=0.5))
        label(drawing, LEFT - 5, y - 2.4, _tick_text(tick, decimals), anchor="end")
    for step in range(1, steps + 1, math.ceil(steps / 10)):
        label(drawing, axes.at(step, ticks[0])[0], BOTTOM - 10, str(step))
    label(drawing, (LEFT + width - 8) / 2, 3, "training step")
    for index, curve in enumerate(curves):
        points = [axes.at(step, loss) for step, loss in enumerate(curve.losses, 1)]
        _curve(drawing, points, index)
        row = BOTTOM + PLOT_HEIGHT + legend - 11.0 * (index + 1)
        _curve(drawing, [(LEFT, row + 2.4), (LEFT + 11, row + 2.4), (LEFT + 22, row + 2.4)], index)
        label(drawing, LEFT + 28, row, curve.name, size=7, colour=INK, anchor="start")
    return drawing


@dataclass(frozen=True)
class _Axes:
    steps: int
    low: float
    high: float
    width: float

    def at(self, step: int, loss: float) -> tuple[float, float]:
        along = (step - 1) / (self.steps - 1) if self.steps > 1 else 0.5
        up = (loss - self.low) / (self.high - self.low)
        return LEFT + self.width * along, BOTTOM + PLOT_HEIGHT * up


def _curve(drawing: Drawing, points: list[tuple[float, float]], index: int) -> None:
    colour = LINE_COLOURS[index % len(LINE_COLOURS)]
    if len(points) > 1:
        flat = [number for point in points for number in point]
        dash = DASHES[index % len(DASHES)]
        drawing.add(PolyLine(flat, strokeColor=colour, strokeWidth=1.5, strokeDashArray=dash))
    if len(points) <= 40:
        for x, y in points:
            drawing.add(Circle(x, y, 1.9, fillColor=colour, strokeColor=None))


def _ticks(values: list[float]) -> tuple[list[float], int]:
    """About four round numbers around `values`, and the decimals they need."""
    low, high = min(values), max(values)
    spread = high - low
    if spread <= max(abs(high) * 1e-6, 1e-12):  # flat to the eye: do not blow up rounding noise
        spread = max(abs(high) * 0.1, 1e-12)
    magnitude = 10.0 ** math.floor(math.log10(spread / 3))
    step = next(m for m in (1, 2, 2.5, 5, 10) if m * magnitude >= spread / 3) * magnitude
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    decimals = max(0, math.ceil(-math.log10(step)) + (step / magnitude == 2.5))
    return [step * number for number in range(first, last + 1)], decimals


def _tick_text(tick: float, decimals: int) -> str:
    return f"{tick:.{decimals}f}" if abs(tick) < 1e5 and decimals <= 5 else f"{tick:.3g}"
