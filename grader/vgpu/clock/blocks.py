"""What a chart shows of a timeline: one block per layer and pass, as wide as can be seen."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from grader.timeline import Gpu, Kind, Span, Timeline, Window

Lane = tuple[Gpu, int]  # a stream of a GPU


@dataclass
class Block:
    """Spans of one lane that follow one another: of one numbered layer, or too short to see."""

    start: float
    end: float
    group: str  # "forward", "backward", "optimizer", "other" or "copy"
    layer: str | None = None  # the numbered layer of the last span in it
    forward: int | None = None  # the number of its forward pass
    layers: list[str] = field(default_factory=list)
    names: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def add(self, span: Span, end: float) -> None:
        self.end = max(self.end, end)
        self.names[span.name] += 1
        self.bytes += span.bytes
        self.layer, self.forward = numbered(span.layer), span.forward
        if span.layer is not None and (not self.layers or self.layers[-1] != span.layer):
            self.layers.append(span.layer)


def numbered(layer: str | None) -> str | None:
    """A path as far as its first number: "layers.3" of "layers.3.0"; all of it without one."""
    return layer and re.sub(r"(\.\d+|^\d+)\..*", r"\1", layer)


def group(span: Span) -> str:
    """What a span is drawn as."""
    return "copy" if span.kind is Kind.COPY else str(span.phase)


def lanes(timeline: Timeline) -> list[Lane]:
    """Every GPU's default stream, and the others that ran something."""
    used = {(span.where, span.stream) for span in timeline.spans}
    used |= {(gpu, 0) for gpu in timeline.gpus}
    return sorted(used)


def blocks(timeline: Timeline, window: Window, shortest: float) -> dict[Lane, list[Block]]:
    """The blocks of each lane inside the window; `shortest` is the least time that can be seen."""
    found: dict[Lane, list[Span]] = {lane: [] for lane in lanes(timeline)}
    for span in timeline.spans:
        if span.end > window.start and span.start < window.end:
            found[span.where, span.stream].append(span)
    return {
        lane: list(_join(sorted(spans, key=lambda s: s.start), window, shortest))
        for lane, spans in found.items()
    }


def _join(spans: Iterable[Span], window: Window, shortest: float) -> Iterator[Block]:
    block: Block | None = None
    for span in spans:
        start, end = max(span.start, window.start), min(span.end, window.end)
        if block is not None and not _joins(block, span, start, shortest):
            yield block
            block = None
        if block is None:
            block = Block(start, end, group(span))
        block.add(span, end)
    if block is not None:
        yield block


def _joins(block: Block, span: Span, start: float, shortest: float) -> bool:
    """Whether a span goes on with a block: no gap, same colour, same layer (or none to be seen)."""
    if start - block.end > shortest / 2 or group(span) != block.group:
        return False
    same = block.layer == numbered(span.layer) and block.forward == span.forward
    return (same and block.group != "copy") or block.seconds < shortest
