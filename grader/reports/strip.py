"""The layer-to-GPU strip: a block per layer, its GPU inside, an arrow per change of GPU."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.graphics.shapes import Drawing, Path, Polygon, Rect
from reportlab.lib.colors import Color

from grader.reports.fonts import BOLD
from grader.reports.label import label
from grader.reports.runs import CPU
from grader.reports.style import DARK_COLOURS, GPU_COLOURS, INK, WHITE

PER_ROW = 25  # layers; more would make the figures too small to read
MAX_BLOCK = 34.0
BLOCK_HEIGHT, NUMBER_ROOM, ARROW_ROOM = 19.0, 10.0, 15.0


def layer_strip(placement: Sequence[int], width: float) -> Drawing:
    """A drawing of `width` points; `placement` is the GPU of each layer (`CPU` for none)."""
    rows = -(-len(placement) // PER_ROW)
    row_height = BLOCK_HEIGHT + NUMBER_ROOM + (ARROW_ROOM if len(set(placement)) > 1 else 3)
    block = min(MAX_BLOCK, width / min(len(placement), PER_ROW))
    drawing = Drawing(width, rows * row_height)
    for layer, gpu in enumerate(placement):
        row, column = divmod(layer, PER_ROW)
        x, y = column * block, (rows - 1 - row) * row_height + NUMBER_ROOM
        _block(drawing, x, y, block, gpu)
        label(drawing, x + block / 2, y - 8, str(layer), size=6)
        if layer and placement[layer - 1] != gpu:
            _arrow(drawing, x, y + BLOCK_HEIGHT, block, at_edge=column == 0)
    return drawing


def _block(drawing: Drawing, x: float, y: float, width: float, gpu: int) -> None:
    colour, text = gpu_colour(gpu), WHITE if gpu % 8 in DARK_COLOURS and gpu != CPU else INK
    second_round = gpu >= len(GPU_COLOURS) or gpu == CPU  # the same colours again, outlined
    drawing.add(
        Rect(
            *(x + 0.8, y, width - 1.6, BLOCK_HEIGHT),
            rx=2,
            ry=2,
            fillColor=colour,
            strokeColor=INK if second_round else None,
            strokeWidth=0.8,
            strokeDashArray=(2, 1.5) if gpu == CPU else None,
        )
    )
    name, size = ("CPU", 6.2) if gpu == CPU else (str(gpu), 8.4)
    middle = y + BLOCK_HEIGHT / 2 - size * 0.36
    label(drawing, x + width / 2, middle, name, face=BOLD, size=size, colour=text)


def gpu_colour(gpu: int) -> Color:
    """The colour of a GPU; white for the CPU."""
    return WHITE if gpu == CPU else GPU_COLOURS[gpu % len(GPU_COLOURS)]


def _arrow(drawing: Drawing, x: float, top: float, block: float, *, at_edge: bool) -> None:
    """From the block before to the block at `x`; on a new row it comes in from the edge."""
    start = x - 1 if at_edge else x - block * 0.42
    end = x + block * 0.42
    arc = Path(strokeColor=INK, strokeWidth=0.9, fillColor=None)
    arc.moveTo(start, top + 1.5)
    arc.curveTo(start + 1, top + 13, end - 1, top + 13, end, top + 4)
    drawing.add(arc)
    tip = [end, top + 0.8, end - 2.3, top + 5, end + 2.3, top + 5]
    drawing.add(Polygon(tip, fillColor=INK, strokeColor=None))
