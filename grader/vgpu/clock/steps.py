"""Finding the training steps in what ran.

A step ends where the script says so (`grader.vgpu.clock.end_step()`); in a script that never
does, where an optimizer's step() ends; in one without optimizer, at each torch.cuda.synchronize()
that comes after a forward or backward pass; and in one without that, at its end. A step begins
with its first op inside a module's forward, so that fetching data does not count; in a script
that uses no module, with the first op after the step before. Calls of step() that follow one
another (an optimizer per stage) end the same step. What comes after the last end is no step.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from grader.timeline import Phase, Span


class Mark(IntEnum):
    """What may end a step; the first of these that a script has is what does."""

    TOLD = 0
    OPTIMIZED = 1
    SYNCHRONIZED = 2


def number(spans: Sequence[Span], marks: Sequence[tuple[int, Mark]]) -> list[Span]:
    """The spans with their steps; a mark stands before the span of its position."""
    kind = min((mark for _, mark in marks), default=None)
    numbered = _numbered(spans, [position for position, mark in marks if mark is kind])
    if all(span.step is None for span in numbered):
        return _numbered(spans, [len(spans)])
    return numbered


def _numbered(spans: Sequence[Span], ends: Sequence[int]) -> list[Span]:
    models = {Phase.FORWARD, Phase.BACKWARD} & {span.phase for span in spans} or set(Phase)
    numbered = list(spans)
    begin, step = 0, 0
    for end in ends:
        working = [i for i in range(begin, end) if spans[i].phase in models]
        if working:
            forward = (i for i in working if spans[i].phase is Phase.FORWARD)
            for i in range(next(forward, begin), end):
                numbered[i] = spans[i]._replace(step=step)
            step += 1
        elif step:  # another optimizer of the same step
            for i in range(begin, end):
                if spans[i].phase is Phase.OPTIMIZER:
                    numbered[i] = spans[i]._replace(step=step - 1)
        begin = end
    return numbered
