"""A timeline in Chrome's trace format, for chrome://tracing and Perfetto.

Format: "Trace Event Format", complete events ("X"), times in microseconds. A GPU is a process
there, and a stream a thread.
"""

from __future__ import annotations

from typing import Any

from grader.timeline import Gpu, Timeline
from grader.vgpu.clock.blocks import group, lanes


def chrome_trace(timeline: Timeline) -> dict[str, Any]:
    """What to write as JSON."""
    number = {gpu: n for n, gpu in enumerate(timeline.gpus)}
    events = [_about(gpu, n) for gpu, n in number.items()]
    for gpu, stream in lanes(timeline):
        name = f"stream {stream}" if stream else "default stream"
        events.append(_meta("thread_name", number[gpu], stream, name))
    for span in timeline.spans:
        told = {"layer": span.layer, "step": span.step, "bytes": span.bytes, "peer": span.peer}
        events.append(
            {
                "ph": "X",
                "name": span.name,
                "cat": group(span),
                "pid": number[span.where],
                "tid": span.stream,
                "ts": span.start * 1e6,
                "dur": (span.end - span.start) * 1e6,
                "args": {key: value for key, value in told.items() if value is not None},
            }
        )
    return {"displayTimeUnit": "ns", "otherData": {"gpu": timeline.spec}, "traceEvents": events}


def _about(gpu: Gpu, number: int) -> dict[str, Any]:
    return _meta("process_name", number, 0, f"rank {gpu.rank} cuda:{gpu.number}")


def _meta(kind: str, process: int, thread: int, name: str) -> dict[str, Any]:
    return {"ph": "M", "name": kind, "pid": process, "tid": thread, "args": {"name": name}}
