"""A timeline as text: step time, how busy each GPU was, the bubble."""

from __future__ import annotations

from collections.abc import Iterator

from grader.timeline import MODEL, Timeline
from grader.vgpu.clock.duration import duration

_BAR = 40


def summary(timeline: Timeline) -> str:
    """Some lines for a terminal of 80 columns, without a final newline."""
    if not timeline.spans:
        return f"simulated {timeline.spec}: nothing ran on a GPU"
    return "\n".join(_lines(timeline))


def _lines(timeline: Timeline) -> Iterator[str]:
    steps = timeline.steps()
    window = timeline.typical_step()
    kind = f"{len(timeline.gpus)} x {timeline.spec}"
    if window is None:
        yield f"simulated on {kind}: {duration(timeline.makespan())}, in which no step was found"
    else:
        count = f"{len(steps)} steps, the median" if len(steps) > 1 else "1 step,"
        yield f"simulated on {kind}: {count} {duration(window.seconds)}"
    for gpu, share in zip(timeline.gpus, timeline.busy_share(window), strict=True):
        rank = f"rank {gpu.rank} " if timeline.gpus[-1].rank else ""
        bar = "#" * round(share * _BAR)
        yield f"{rank}{f'cuda:{gpu.number}':<8}{share:>7.1%} busy  {bar:.<{_BAR}}"
    most = timeline.most_at_once(window, MODEL)
    at_once = f"; at most {most} at once in forward and backward" if most else ""
    yield f"idle {timeline.bubble_share(window):.1%} of the time (the bubble){at_once}"
    if timeline.truncated:
        yield "The run was long: what is said here is about its beginning."
