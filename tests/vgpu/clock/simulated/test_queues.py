"""Streams, events, copies and waiting, in virtual time."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import replace

import pytest
import torch
from programs import FLOPS_ONLY

from grader import vgpu
from grader.timeline import HOST, Kind, Span
from grader.vgpu import clock
from grader.vgpu.clock.spec import Link

N = 100
PRODUCT = 2 * N**3 / 1e12  # seconds of one product of (N, N) matrices
SLOW = Link(bandwidth=1e9, latency=1e-6)
COPY = 1e-6 + 4 * N * N / 1e9


@pytest.fixture(autouse=True)
def slow_links() -> None:
    clock.configure(replace(FLOPS_ONLY, gpu_link=SLOW, host_link=SLOW))


def matrix(device: object) -> torch.Tensor:
    """One whose making takes no time."""
    return torch.ones(N, N, device=device)


def spans() -> list[Span]:
    return vgpu.timeline().spans


def now() -> float:
    return clock.require().now()


def test_the_host_does_not_wait_for_ops() -> None:
    a, begin = matrix(0), now()
    a @ a
    a @ a
    assert now() == begin
    assert not torch.cuda.current_stream(0).query()
    torch.cuda.synchronize(0)
    assert now() == pytest.approx(begin + 2 * PRODUCT, rel=1e-6)
    assert torch.cuda.current_stream(0).query()


def test_gpus_and_streams_run_side_by_side() -> None:
    a, b, side, begin = matrix(0), matrix(1), torch.cuda.Stream(0), now()
    a @ a
    b @ b
    with torch.cuda.stream(side):
        a @ a
    starts = {(s.gpu, s.stream): s.start for s in spans()}
    assert starts == {(0, 0): begin, (1, 0): begin, (0, side.stream_id): begin}
    timeline = vgpu.timeline()
    assert timeline.busy_seconds()[:2] == pytest.approx([PRODUCT] * 2)  # two at once count once


def test_a_stream_waits_for_another_and_for_events() -> None:
    a, one, two = matrix(0), torch.cuda.Stream(0), torch.cuda.Stream(0)
    with torch.cuda.stream(one):
        a @ a
        event = one.record_event()
        a @ a
    with torch.cuda.stream(two):
        two.wait_event(event)
        a @ a
        two.wait_stream(one)
        a @ a
    times = [(s.stream, round((s.start - spans()[0].start) / PRODUCT, 3)) for s in spans()]
    mine, other = one.stream_id, two.stream_id
    assert times == [(mine, 0), (mine, 1), (other, 1), (other, 2)]


def test_copies_between_gpus_wait_for_both_and_hold_both() -> None:
    a, b, begin = matrix(0), matrix(1), now()
    a @ a
    b @ b
    b @ b
    a.to("cuda:1")
    a @ a
    b @ b
    assert now() == begin  # the host goes on
    copy = next(s for s in spans() if s.kind is Kind.COPY)
    assert (copy.gpu, copy.peer, copy.bytes, copy.name) == (
        0,
        1,
        4 * N * N,
        "copy cuda:0 to cuda:1",
    )
    assert copy.start == pytest.approx(begin + 2 * PRODUCT)
    assert copy.end - copy.start == pytest.approx(COPY, rel=1e-6)
    assert [s.start for s in spans()[-2:]] == [copy.end, copy.end]


def test_copies_on_streams_overlap_with_work() -> None:
    a, out, into = matrix(0), torch.cuda.Stream(0), torch.cuda.Stream(1)
    with torch.cuda.stream(out), torch.cuda.stream(into):
        a.to("cuda:1")
    a @ a
    product, copy = spans()
    assert (copy.stream, product.stream) == (out.stream_id, 0)
    assert copy.start == product.start


def test_a_link_carries_one_copy_at_a_time() -> None:
    a = matrix(0)
    for _ in range(2):
        with torch.cuda.stream(torch.cuda.Stream(0)), torch.cuda.stream(torch.cuda.Stream(1)):
            a.to("cuda:1")
    first, second = spans()
    assert second.start == first.end


def test_copies_from_and_to_the_host_block_it_unless_told() -> None:
    x, begin = torch.ones(N, N), now()
    there = x.to("cuda:2", non_blocking=True)
    assert now() == begin
    x.to("cuda:2")
    assert now() == pytest.approx(begin + 2 * COPY, rel=1e-6)
    there @ there
    there.cpu()
    assert now() == pytest.approx(begin + 3 * COPY + PRODUCT, rel=1e-6)
    there.sum().item()
    assert now() == pytest.approx(begin + 3 * COPY + PRODUCT + SLOW.seconds(4), rel=1e-6)
    assert [(s.gpu, s.peer) for s in spans() if s.kind is Kind.COPY] == [(2, HOST)] * 4


def test_events_measure_virtual_milliseconds() -> None:
    a = matrix(0)
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(3):
        a @ a
    end.record()
    with pytest.raises(RuntimeError) as unfinished:
        begin.elapsed_time(end)
    words = "Both events must be completed before calculating elapsed time."
    assert str(unfinished.value) == words
    assert not end.query()
    end.synchronize()
    assert end.query()
    assert begin.elapsed_time(end) == pytest.approx(3 * PRODUCT * 1e3, rel=1e-6)


def test_polling_an_event_comes_to_an_end() -> None:
    a, event, polls = matrix(0), torch.cuda.Event(), 0
    for _ in range(10):
        a @ a
    event.record()
    while not event.query():
        polls += 1
    assert polls == math.ceil(10 * PRODUCT / 1e-6)


def test_backward_runs_on_the_streams_of_forward() -> None:
    side = torch.cuda.Stream(0)
    w = matrix(0).requires_grad_()
    x = w @ w
    side.wait_stream(torch.cuda.default_stream(0))
    with torch.cuda.stream(side):
        y = x @ x
    torch.cuda.default_stream(0).wait_stream(side)
    y.sum().backward()
    w.grad @ w.grad
    streams = [s.stream for s in spans()]
    one, two = 0, side.stream_id
    assert streams == [one, two, *[two] * 2, *[one] * 2, one]
    starts = [round((s.start - spans()[0].start) / PRODUCT, 3) for s in spans()]
    assert starts == [0, 1, 2, 3, 4, 5, 6]  # each waits for the gradient it needs


def test_the_current_streams_wait_for_a_backward_on_others() -> None:
    side = torch.cuda.Stream(0)
    w = matrix(0).requires_grad_()
    with torch.cuda.stream(side):
        loss = (w @ w).sum()
        side_is_done = torch.cuda.Event()
    loss.backward()
    side_is_done.record(side)
    torch.cuda.default_stream(0).synchronize()
    assert side_is_done.query()


def test_each_thread_has_a_time_of_its_own() -> None:
    a, begin, seen = matrix(0), now(), {}

    def work() -> None:
        seen["first"] = now()
        a @ a
        torch.cuda.synchronize(0)
        seen["then"] = now()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == {"first": begin, "then": pytest.approx(begin + PRODUCT, rel=1e-6)}
    assert now() == begin


def test_the_order_of_threads_does_not_show() -> None:
    def work(gpu: int) -> None:
        a = matrix(gpu)
        for _ in range(3):
            a @ a

    def run(order: range) -> list[tuple[int, int]]:
        for gpu in range(5):
            torch.cuda.synchronize(gpu)
        vgpu.reset()
        for gpu in order:
            thread = threading.Thread(target=work, args=(gpu,))
            thread.start()
            thread.join()
        begin = spans()[0].start
        return [(s.gpu, round((s.start - begin) / PRODUCT)) for s in spans()]

    assert run(range(5)) == run(range(4, -1, -1)) == [(g, n) for n in range(3) for g in range(5)]


def test_launches_take_the_host_what_the_spec_says() -> None:
    clock.configure(replace(FLOPS_ONLY, launch=5e-6))
    a = torch.ones(N, N, device=0)
    begin = now()
    a.t() @ a.view(N, N)  # views launch nothing
    a @ a
    assert now() == pytest.approx(begin + 2 * 5e-6)


def test_processes_meet_when_the_last_has_arrived() -> None:
    simulator, a = clock.require(), matrix(1)
    torch.cuda.set_device(1)
    begin = simulator.arrival(1)
    a @ a
    assert simulator.arrival(1) == pytest.approx(begin + PRODUCT)
    late = begin + 10 * PRODUCT
    assert simulator.meet(1, late, 1e-3, name="all_reduce", size=64) == pytest.approx(late + 1e-3)
    early = simulator.meet(1, begin, 1e-3)
    assert early == pytest.approx(late + 2e-3)  # never before this process is ready itself
    exchange = spans()[1]
    assert (exchange.name, exchange.kind, exchange.bytes) == ("all_reduce", Kind.COPY, 64)
    assert now() == begin
    torch.cuda.synchronize()
    assert now() == pytest.approx(early)


def test_the_clocks_of_the_script_are_virtual() -> None:
    a = matrix(0)
    readings = {}
    for name in ("time", "perf_counter", "monotonic"):
        seconds, nanoseconds = getattr(time, name), getattr(time, f"{name}_ns")
        torch.cuda.synchronize()
        before = seconds(), nanoseconds()
        a @ a
        torch.cuda.synchronize()
        readings[name] = seconds() - before[0], (nanoseconds() - before[1]) / 1e9
    exact, coarse = pytest.approx(PRODUCT, abs=3e-9), pytest.approx(PRODUCT, abs=3e-6)
    assert readings == {
        "time": (coarse, coarse),
        "perf_counter": (exact, exact),
        "monotonic": (exact, exact),
    }


def test_no_clock_stands_still_and_none_goes_back() -> None:
    for name in ("time", "perf_counter", "monotonic", "time_ns", "perf_counter_ns"):
        readings = [getattr(time, name)() for _ in range(50)]
        assert readings == sorted(set(readings))


def test_sleeping_takes_virtual_time() -> None:
    begin = time.perf_counter()
    time.sleep(0.01)
    assert time.perf_counter() - begin == pytest.approx(0.01, abs=1e-6)


def test_timeouts_of_pythons_library_are_about_this_machine() -> None:
    import queue

    with pytest.raises(queue.Empty):
        queue.Queue().get(timeout=0.01)


def test_a_long_run_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.vgpu.clock.simulator.LIMIT", 3)
    a, begin = matrix(0), now()
    for _ in range(2):
        a @ a
    clock.end_step()
    for _ in range(5):
        a @ a
    clock.end_step()
    torch.cuda.synchronize()
    timeline = vgpu.timeline()
    assert (timeline.truncated, len(timeline.spans), len(timeline.steps())) == (True, 3, 1)
    assert now() == pytest.approx(begin + 7 * PRODUCT, rel=1e-6)
