"""Iterations in a list of events: steps forward and backward, phases of synchronisation."""

from __future__ import annotations

import pytest

from grader.iterations import iterations
from grader.program import Call, Data, Event, Kind, Program
from grader.trace import Op, Phase, Trace

GRADIENT = 400  # bytes


class Script:
    """Writes down what a program would have done, line by line."""

    def __init__(self):
        self.events, self.calls, self.ops = [], [], []
        self.value = 1.0

    def _event(self, kind, text="", line="s.py:1", **more):
        self.events.append(Event(kind, text, line, None, len(self.calls), 0, 0, **more))
        return self

    def call(self, model=0, layers=(0, 2), rows=16):
        self._event(Kind.CALL, "Net", value=self.value)
        forward = len(self.calls)
        self.calls.append(Call("Net", None, (Data((rows, 8), 0),), (), forward, False, model))
        self.ops += [Op("aten::linear", gpu, "x", Phase.FORWARD, forward) for gpu in layers]
        return self

    def backward(self, line="s.py:9"):
        return self._event(Kind.BACKWARD, line=line)

    def reduce(self, size=GRADIENT, name="allreduce", line="s.py:20"):
        return self._event(Kind.COLLECTIVE, name, line, bytes=size)

    def step(self):
        self._event(Kind.GRADIENT, bytes=GRADIENT)
        return self._event(Kind.STEP)

    def micro(self, count=1):
        for _ in range(count):
            self.call().backward()
        return self

    def iterations(self, *, truncated=False):
        trace = Trace(4, ops=self.ops, truncated=truncated)
        return iterations(Program("s.py", 4, trace, self.calls, self.events))


def test_steps_and_rows_and_the_place_of_each_layer():
    [one] = Script().micro(4).reduce().step().iterations()
    assert (one.forwards, one.backwards, one.rows) == (4, 4, (16,) * 4)
    assert one.placement == (0, 2)
    assert (one.gradient, one.fed) == (GRADIENT, 4.0)


def test_each_run_of_steps_ends_an_iteration():
    script = Script().micro(2).reduce().step().step().micro(2).reduce().step()
    first, second = script.iterations()
    assert (first.forwards, len(first.of(Kind.STEP)), first.gradient) == (2, 2, 2 * GRADIENT)
    assert (second.forwards, len(second.of(Kind.STEP))) == (2, 1)


def test_what_comes_after_the_last_step_is_none():
    assert len(Script().micro().step().call().iterations()) == 1


def test_without_an_optimizer_all_is_one():
    [one] = Script().micro(3).reduce().iterations()
    assert (one.forwards, one.gradient, len(one.syncs())) == (3, None, 1)


def test_parts_of_a_model_that_are_called_one_by_one_are_one_step():
    script = Script()
    for _ in range(3):
        script.call(model=0, layers=(0,)).call(model=1, layers=(2, 2)).backward()
    [one] = script.step().iterations()
    assert (one.forwards, one.placement) == (3, (0, 2, 2))


def test_a_loss_is_no_model():
    script = Script()
    for _ in range(2):
        script.call().call(model=1, layers=()).backward()
    assert script.step().iterations()[0].forwards == 2


def test_a_synchronisation_after_all_micro_batches():
    [one] = Script().micro(4).reduce().reduce().step().iterations()
    [sync] = one.syncs()
    assert (sync.bytes, sync.forwards, sync.backwards) == (2 * GRADIENT, 4, 4)
    assert one.is_last(sync)


def test_one_within_the_loop_is_not_the_last():
    [one] = Script().micro().reduce().micro().reduce().step().iterations()
    first, second = one.syncs()
    assert not one.is_last(first)
    assert one.is_last(second)


def test_one_within_the_last_backward_pass_is():
    """As DDP does; a backward pass is noted when it is over."""
    script = Script().micro(3).call().reduce(line="s.py:9").backward("s.py:9")
    [one] = script.step().iterations()
    [sync] = one.syncs()
    assert sync.backwards == 3
    assert one.is_last(sync)


def test_one_before_the_last_backward_pass_is_not():
    script = Script().call().call().backward().reduce().backward()
    [one] = script.step().iterations()
    assert not one.is_last(one.syncs()[0])


@pytest.mark.parametrize(
    ("name", "size"), [("allreduce", 4), ("broadcast", GRADIENT), ("barrier", GRADIENT)]
)
def test_what_puts_no_gradients_together_is_no_synchronisation(name, size):
    [one] = Script().micro(2).reduce(size, name).step().iterations()
    assert one.syncs() == []


def test_half_precision_is_half_of_the_bytes():
    [one] = Script().micro(2).reduce(GRADIENT // 2).step().iterations()
    assert len(one.syncs()) == 1


def test_what_comes_before_the_first_forward_step_is_none():
    [one] = Script().reduce(name="allgather").micro(2).reduce().step().iterations()
    assert len(one.syncs()) == 1


def test_iterations_whose_layers_may_be_missing_are_left_out():
    script = Script().micro(2).step().micro(2).step().call().call(layers=()).step()
    assert len(script.iterations()) == 3
    assert len(script.iterations(truncated=True)) == 2


def test_nothing_ran():
    assert Script().step().iterations() == []
