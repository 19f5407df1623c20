"""Where an op comes from: its stream, its phase, its layer.

Autograd runs a backward op on the stream its forward op ran on, lets a stream wait for another
whose gradient it needs, and in the end lets the current streams wait for those it used. Nodes of
the graph are recognised by their sequence number, which a node takes just before its forward op
runs. Autograd works on virtual GPUs in the thread that calls backward(), node after node, so the
order of issue is that of the graph, every time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch.optim import optimizer as optimizers

from grader import trace
from grader.timeline import Phase
from grader.vgpu import current_stream
from grader.vgpu.recorder import here

if TYPE_CHECKING:
    from grader.vgpu.clock.simulator import Simulator

#: Forward ops remembered for their backward ones.
_LIMIT = 100_000

_backward_id = torch._C._current_graph_task_id
_next_sequence_number: Any = torch._C._autograd._get_sequence_nr
_current_node: Any = torch._C._current_autograd_node


class Origin(NamedTuple):
    stream: int
    phase: Phase
    layer: str | None
    forward: int | None  # number of the forward pass


class _Forward(NamedTuple):
    """What a node of the graph must know of its forward op."""

    stream: int
    layer: str | None
    number: int | None


class _Thread(threading.local):
    """The backward pass at work in this thread."""

    def __init__(self) -> None:
        self.last: dict[int, int] = {}  # the last stream it used, by GPU
        self.used: set[tuple[int, int]] = set()  # (GPU, stream)
        self.layer: str | None = None
        self.forward: int | None = None
        self.optimizing = 0


_thread = _Thread()
#: By sequence number and GPU: threads count for themselves, but seldom share a GPU.
_forwards: dict[tuple[int, int], _Forward] = {}


def install(simulator: Simulator) -> None:
    """Follow optimizers, whose end is the end of a step."""

    def begin(*_: Any) -> None:
        _thread.optimizing += 1

    def end(*_: Any) -> None:
        _thread.optimizing -= 1
        simulator.end_of_optimizer()

    optimizers.register_optimizer_step_pre_hook(begin)
    optimizers.register_optimizer_step_post_hook(end)


def find(simulator: Simulator, gpu: int) -> Origin:
    """The origin of what runs now on a GPU; makes streams wait as autograd would."""
    if _backward_id() != -1:
        return _of_backward(simulator, gpu)
    leave_backward(simulator)
    stream = current_stream.of(gpu)
    _remember(gpu, stream)
    layer, phase, forward = here.where
    if phase is trace.Phase.FORWARD:
        return Origin(stream, Phase.FORWARD, layer, forward)
    return Origin(stream, Phase.OPTIMIZER if _thread.optimizing else Phase.OTHER, layer, forward)


def leave_backward(simulator: Simulator) -> None:
    """After a backward pass the current streams wait for all that it used."""
    if _thread.used and _backward_id() == -1:
        for gpu, stream in sorted(_thread.used):
            current = current_stream.of(gpu)
            if stream != current:
                simulator.wait(gpu, current, simulator.ready(gpu, stream))
        _thread.used.clear()
        _thread.last.clear()
        _thread.layer = _thread.forward = None


def _of_backward(simulator: Simulator, gpu: int) -> Origin:
    thread = _thread
    node = _current_node()
    forward = None if node is None else _forwards.get((node._sequence_nr(), gpu))
    if forward is None:  # a node that adds up gradients runs behind the one that made them
        stream = thread.last.get(gpu, 0)
    else:
        stream, thread.layer, thread.forward = forward
    if here.where.layer is not None:  # checkpointing runs a forward pass again
        _remember(gpu, stream)
    before = thread.last.get(gpu, current_stream.of(gpu))
    if before != stream:
        simulator.wait(gpu, stream, simulator.ready(gpu, before))
    thread.last[gpu] = stream
    thread.used.add((gpu, stream))
    return Origin(stream, Phase.BACKWARD, here.where.layer or thread.layer, thread.forward)


def _remember(gpu: int, stream: int) -> None:
    """The first op after a node was made is that node's."""
    key = (_next_sequence_number() - 1, gpu)
    if key not in _forwards:
        if len(_forwards) >= _LIMIT:
            for old in list(_forwards)[: _LIMIT // 2]:
                del _forwards[old]
        _forwards[key] = _Forward(stream, here.where.layer, here.where.forward)
