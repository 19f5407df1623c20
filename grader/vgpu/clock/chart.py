"""A timeline as SVG: a row per GPU, time from left to right, and how many GPUs work at once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import takewhile

from grader.timeline import HOST, MODEL, Gpu, Kind, Timeline, Window
from grader.vgpu.clock.blocks import Block, Lane, blocks, lanes
from grader.vgpu.clock.duration import duration, unit_for

INK, MUTED, RULE, PAPER = "#1b2733", "#566472", "#d5dce3", "#eef2f5"
#: Okabe and Ito's colours, which stay apart in every common form of colour blindness
#: (https://jfly.uni-koeln.de/color/).
COLOURS = {
    "forward": "#56b4e9",
    "backward": "#e69f00",
    "optimizer": "#009e73",
    "copy": "#b8508a",
    "other": "#a7b0b8",
}
FONT = "'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif"

WIDTH = 1200
_LEFT, _RIGHT = 104, 128  # room for names and shares
_PLOT = WIDTH - _LEFT - _RIGHT
_ROW, _STREAM, _GAP = 30, 13, 9  # heights of a default stream, another stream, and between GPUs
_STRIP = 40  # height of the strip that counts GPUs at work
_MOST_STEPS = 20  # of the second panel
_MOST_ARROWS = 400
_LETTER = 0.62  # width of one by the size of type, about


def svg(timeline: Timeline) -> str:
    """A whole SVG document, light on its own background."""
    body, height = drawing(timeline)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" '
        f'viewBox="0 0 {WIDTH} {height:.0f}" font-family="{escape(FONT)}" font-size="12">\n'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )


def drawing(timeline: Timeline) -> tuple[str, float]:
    """What stands inside the <svg> element, and its height."""
    parts = [*_head(timeline)]
    top = 122.0
    for panel in _panels(timeline):
        drawn, top = _panel(timeline, panel, top)
        parts += drawn
    return "\n".join(parts), top


# ---------------------------------------------------------------------- what is shown


@dataclass(frozen=True)
class _Panel:
    title: str
    window: Window
    steps: tuple[tuple[int, Window], ...]  # marked in it, by number from 1

    def x(self, time: float) -> float:
        share = (time - self.window.start) / self.window.seconds
        return _LEFT + _PLOT * share

    @property
    def pixel(self) -> float:
        """Seconds per pixel."""
        return self.window.seconds / _PLOT


def _panels(timeline: Timeline) -> list[_Panel]:
    """The typical step, and the first steps together; all there is where no step was found."""
    steps = [(n, step) for n, step in enumerate(timeline.steps(), 1) if step.seconds > 0]
    typical = timeline.typical_step()
    if not steps or typical is None:
        whole = timeline.whole()
        return [_Panel("The whole run", whole, ())] if whole.seconds > 0 else []
    number = next(n for n, step in steps if step == typical)
    of = f" of {len(steps)}, which took the median time" if len(steps) > 1 else ""
    panels = [_Panel(f"Step {number}{of}", typical, ())]
    if len(steps) > 1:
        shown = tuple(steps[:_MOST_STEPS])
        which = "All steps" if len(shown) == len(steps) else f"The first {len(shown)} steps"
        window = Window(shown[0][1].start, shown[-1][1].end)
        panels.append(_Panel(which, window, shown))
    return panels


# ---------------------------------------------------------------------- head


def _head(timeline: Timeline) -> Iterator[str]:
    kind = f" on {len(timeline.gpus)} × {timeline.spec}" if timeline.spec else ""
    yield _text(24, 36, f"Simulated timeline{kind}", size=20, weight=600)
    if not timeline.spans:
        yield _text(24, 70, "Nothing ran on a GPU.", colour=MUTED)
        return
    x = 24.0
    for value, meaning in _figures(timeline):
        yield _text(x, 70, value, size=18, weight=600)
        yield _text(x, 88, meaning, size=11, colour=MUTED)
        x += max(len(value) * 11.5, len(meaning) * 6.4) + 34
    yield from _legend()


def _figures(timeline: Timeline) -> Iterator[tuple[str, str]]:
    window = timeline.typical_step()
    steps = len(timeline.steps())
    if window is None:
        yield duration(timeline.makespan()), "in all"
    else:
        yield (
            duration(window.seconds),
            "step time" if steps == 1 else f"step time, of {steps} steps",
        )
    yield f"{timeline.bubble_share(window):.1%}", "bubble: GPUs standing idle"
    most = timeline.most_at_once(window, MODEL)
    if most:
        yield str(most), "GPUs at once in forward and backward, at most"
    if timeline.truncated:
        yield "cut short", "the run was too long to show all"


def _legend() -> Iterator[str]:
    x = WIDTH - 24.0
    for name, colour in [("idle", PAPER), *reversed(COLOURS.items())]:
        x -= len(name) * 7 + 6
        yield _text(x, 35, name, size=11, colour=MUTED)
        x -= 18
        yield _rect(x, 26, 12, 11, colour, radius=2)
        x -= 8


# ---------------------------------------------------------------------- a panel


def _panel(timeline: Timeline, panel: _Panel, top: float) -> tuple[list[str], float]:
    """The panel from `top` on, and where it ends."""
    rows = _rows(timeline, top + 44)
    bottom = max(y + height for y, height in rows.values())
    parts = [_text(24, top + 12, panel.title, size=14, weight=600)]
    took = duration(panel.window.seconds)
    parts.append(_text(WIDTH - 24, top + 12, took, size=13, colour=MUTED, anchor="end"))
    parts += _axis(panel, top + 38, bottom + 10 + _STRIP)
    parts += _names(timeline, panel, rows)
    for y, height in rows.values():
        parts.append(_rect(_LEFT, y, _PLOT, height, PAPER, radius=2))
    found = blocks(timeline, panel.window, 2 * panel.pixel)
    for lane, (y, height) in rows.items():
        parts += [_block(panel, block, y, height, lane) for block in found[lane]]
    parts += _arrows(timeline, panel, rows)
    parts += _step_marks(panel, top + 44, bottom)
    parts += _strip(timeline, panel, bottom + 10)
    return parts, bottom + 10 + _STRIP + 40


def _rows(timeline: Timeline, top: float) -> dict[Lane, tuple[float, float]]:
    """Where each lane is drawn: y and height."""
    rows: dict[Lane, tuple[float, float]] = {}
    y, before = top, None
    for gpu, stream in lanes(timeline):
        if before is not None:
            y += _GAP if gpu != before else 2
        height = _STREAM if stream else _ROW
        rows[gpu, stream] = (y, height)
        y, before = y + height, gpu
    return rows


def _names(
    timeline: Timeline, panel: _Panel, rows: dict[Lane, tuple[float, float]]
) -> Iterator[str]:
    """Left of each row its GPU, right of it how busy it is."""
    ranks = {gpu.rank for gpu in timeline.gpus} != {0}
    shares = dict(zip(timeline.gpus, timeline.busy_share(panel.window), strict=True))
    for (gpu, stream), (y, height) in rows.items():
        middle = y + height / 2 + 4
        if stream:
            text = f"stream {stream}"
            yield _text(_LEFT - 10, middle, text, size=9, colour=MUTED, anchor="end")
            continue
        name = f"rank {gpu.rank} · " if ranks else ""
        yield _text(_LEFT - 10, middle, f"{name}GPU {gpu.number}", anchor="end", weight=600)
        x, room = WIDTH - _RIGHT + 12, 56
        yield _rect(x, y + height / 2 - 4, room, 8, PAPER, radius=2)
        yield _rect(x, y + height / 2 - 4, room * shares[gpu], 8, MUTED, radius=2)
        yield _text(WIDTH - 24, middle, f"{shares[gpu]:.0%}", size=12, anchor="end")


def _block(panel: _Panel, block: Block, y: float, height: float, lane: Lane) -> str:
    x = panel.x(block.start)
    width = max(panel.x(block.end) - x, 1.2)
    drawn = width - 0.8 if width > 7 else width  # a hair of paper between neighbours
    colour = COLOURS[block.group]
    label, size = "", 10.0
    if height == _ROW and block.group != "copy":
        label, size = _label(block, width - 2)
    text = _text(x + width / 2, y + height / 2 + 3.5, label, size=size, anchor="middle")
    title = f"<title>{_safe(_told(block, lane))}</title>"
    return f"<g>{title}{_rect(x, y, drawn, height, colour)}{text if label else ''}</g>"


def _label(block: Block, room: float) -> tuple[str, float]:
    """The layer's path, or where that is too long its first number ("3"), and the size of type."""
    paths = [layer.split(".") for layer in block.layers]
    shared = takewhile(lambda names: len(set(names)) == 1, zip(*paths, strict=False))
    layer = ".".join(names[0] for names in shared)
    number = re.search(r"\d+", layer)
    choices = [(layer, 10.0)] if number or len(paths) == 1 else []
    choices += [(number[0], size) for size in (10.0, 8.0)] if number else []
    fitting = (choice for choice in choices if len(choice[0]) * choice[1] * _LETTER <= room)
    return next(fitting, ("", 10.0))


def _told(block: Block, lane: Lane) -> str:
    """What a reader sees who points at a block."""
    gpu, stream = lane
    where = f"GPU {gpu.number}" + (f", stream {stream}" if stream else "")
    layers = block.layers if len(block.layers) < 4 else [block.layers[0], "…", block.layers[-1]]
    what = f"{block.group}: {', '.join(layers)}" if layers else block.group
    names = [
        f"{name.removeprefix('aten::')}{f' ×{n}' if n > 1 else ''}"
        for name, n in block.names.most_common(6)
    ]
    more = " …" if len(block.names) > 6 else ""
    return f"{what}\n{', '.join(names)}{more}\n{duration(block.seconds)} on {where}"


def _arrows(
    timeline: Timeline, panel: _Panel, rows: dict[Lane, tuple[float, float]]
) -> Iterator[str]:
    """A line for each copy between GPUs, from the source's row to the target's.

    None where there are so many that they would hide the rest.
    """
    copies = [
        span
        for span in timeline.spans
        if span.kind is Kind.COPY and span.peer not in (None, HOST)
        if panel.window.start <= span.start and span.end <= panel.window.end
    ]
    for span in copies if len(copies) <= _MOST_ARROWS else ():
        target = rows.get((Gpu(span.rank, int(span.peer or 0)), 0))
        if target is None:
            continue
        y, height = rows[span.where, span.stream]
        down = target[0] > y
        x1, y1 = panel.x(span.start), y + (height if down else 0)
        x2, y2 = panel.x(span.end), target[0] + (0 if down else target[1])
        yield _line(x1, y1, x2, y2, COLOURS["copy"], width=1.3)


def _step_marks(panel: _Panel, top: float, bottom: float) -> Iterator[str]:
    for number, step in panel.steps:
        x, end = panel.x(step.start), panel.x(step.end)
        yield _line(x, top - 4, x, bottom + 4, INK, dash="2 3")
        if end - x > 40 or number == 1:
            yield _text(x + 3, bottom + 9, f"step {number}", size=9, colour=MUTED)


# ---------------------------------------------------------------------- axis and strip


def _axis(panel: _Panel, y: float, bottom: float) -> Iterator[str]:
    """Ticks at round times since the window began."""
    size, unit = unit_for(panel.window.seconds / 4)
    step = _round_step(panel.window.seconds / size / 8)
    decimals = max(0, math.ceil(-math.log10(step)))
    count = int(panel.window.seconds / size / step)
    for tick in range(count + 1):
        x = panel.x(panel.window.start + tick * step * size)
        yield _line(x, y + 2, x, bottom, RULE)
        text = f"{tick * step:.{decimals}f}" + (f" {unit}" if tick in (0, count) else "")
        yield _text(x, y - 3, text, size=10, colour=MUTED, anchor="middle")


def _round_step(least: float) -> float:
    magnitude = 10.0 ** math.floor(math.log10(least))
    return next(m for m in (1, 2, 5, 10) if m * magnitude >= least * 0.999) * magnitude


def _strip(timeline: Timeline, panel: _Panel, y: float) -> Iterator[str]:
    """How many GPUs work at once, as a mean over each pixel."""
    top, height, most = y + 12, _STRIP - 12, len(timeline.gpus)
    heights = [height * at_work / most for at_work in timeline.at_work(panel.window, round(_PLOT))]
    points = [f"{_LEFT + x:.0f} {top + height - h:.1f}h1" for x, h in enumerate(heights)]
    path = f"M{_LEFT} {top + height}L" + "L".join(points) + f"L{_LEFT + _PLOT} {top + height}Z"
    yield f'<path d="{path}" fill="{MUTED}" fill-opacity="0.55"/>'
    yield _line(_LEFT, top + height, _LEFT + _PLOT, top + height, MUTED)
    yield _line(_LEFT, top, _LEFT + _PLOT, top, RULE, dash="2 3")
    middle = top + height / 2 + 4
    yield _text(_LEFT - 10, middle, "at work", size=10, colour=MUTED, anchor="end")
    yield _text(_LEFT + _PLOT + 6, top + 4, f"{most} GPUs", size=9, colour=MUTED)
    yield _text(_LEFT + _PLOT + 6, top + height + 3, "0", size=9, colour=MUTED)


# ---------------------------------------------------------------------- SVG


def _rect(x: float, y: float, width: float, height: float, fill: str, *, radius: float = 1) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.1f}" width="{width:.2f}" height="{height:.1f}" '
        f'rx="{radius}" fill="{fill}"/>'
    )


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, *, dash: str = "", width: float = 1
) -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    way = f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"
    return f'<path d="{way}" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    size: float = 12,
    colour: str = INK,
    anchor: str = "start",
    weight: int = 400,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
        f'text-anchor="{anchor}" font-weight="{weight}">{_safe(text)}</text>'
    )


def _safe(text: str) -> str:
    """Text for XML: names come from the script."""
    return escape("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text))
