"""Writing a timeline to a file: a page to look at, a picture, or a trace for other tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from types import MappingProxyType

from grader.errors import UsageError
from grader.timeline import Timeline
from grader.vgpu.clock.chart import FONT, INK, MUTED, RULE, WIDTH, drawing, svg
from grader.vgpu.clock.chrome_trace import chrome_trace

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Simulated timeline</title>
<style>
body {{ margin: 0; background: #f6f8fa; color: {ink}; font: 14px/1.5 {font}; }}
main {{ max-width: {width}px; margin: 24px auto; }}
figure {{ margin: 0; background: white; border: 1px solid {rule}; border-radius: 8px;
  overflow-x: auto; }}
svg {{ display: block; width: 100%; min-width: 900px; height: auto; font-family: {font}; }}
g:hover > rect {{ stroke: {ink}; stroke-width: 1.5; }}
p {{ color: {muted}; margin: 12px 24px; }}
</style>
<main>
<figure>
<svg viewBox="0 0 {width} {height:.0f}" role="img" aria-label="Simulated timeline">
{drawing}
</svg>
</figure>
<p>Point at a block to see its layer, its ops and how long they take. Times are a roofline
estimate: each op takes as long as its arithmetic or its memory traffic needs on the GPU, whichever
is longer, and Python takes no time. A real run is slower, the more so the smaller the ops. Idle
time is what a schedule can win back.</p>
</main>
</html>
"""


def html(timeline: Timeline) -> str:
    """One page that needs nothing else; what a block is shows where the pointer rests."""
    body, height = drawing(timeline)
    return _PAGE.format(
        drawing=body,
        height=height,
        width=WIDTH,
        font=escape(FONT, quote=False),
        ink=INK,
        muted=MUTED,
        rule=RULE,
    )


def _json(timeline: Timeline) -> str:
    return json.dumps(chrome_trace(timeline))


FORMATS: Mapping[str, Callable[[Timeline], str]] = MappingProxyType(
    {".html": html, ".svg": svg, ".json": _json}
)


def check(path: Path) -> None:
    """UsageError for a name whose ending is none of ours; before the script runs."""
    if path.suffix.lower() not in FORMATS:
        raise UsageError(
            f"the timeline {path}",
            expected=f"a name that ends in {', '.join(FORMATS)}",
            found=repr(path.suffix),
        )


def write(timeline: Timeline, path: Path) -> None:
    """Write it in the format that the ending says: .html, .svg or .json (Chrome's traces)."""
    check(path)
    text = FORMATS[path.suffix.lower()](timeline)
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"the timeline {path} cannot be written", found=error.strerror or str(error)
        ) from error
