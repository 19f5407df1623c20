"""Streams and events, on the machine's own clock."""

from __future__ import annotations

import threading
import time

import pytest
import torch

D = torch.device


def test_streams_are_distinct() -> None:
    one, two = torch.cuda.Stream(), torch.cuda.Stream()
    default = torch.cuda.default_stream()
    assert len({one, two, default}) == 3
    assert len({s.stream_id for s in (one, two, default)}) == 3
    assert (default.stream_id, default.cuda_stream, default.priority) == (0, 0, 0)
    assert default == torch.cuda.default_stream(0) == torch.cuda.current_stream("cuda:0")
    assert default != torch.cuda.default_stream(1)
    assert one != "stream"


def test_streams_know_their_gpu() -> None:
    stream = torch.cuda.Stream("cuda:3")
    assert (stream.device, stream.device_index, stream.device_type) == (D("cuda:3"), 3, 1)
    with torch.cuda.device(2):
        assert torch.cuda.Stream().device == D("cuda:2")
    assert repr(stream) == (
        f"<torch.cuda.Stream device=cuda:3 cuda_stream={stream.cuda_stream:#x}>"
    )


def test_a_stream_is_found_again_by_its_numbers() -> None:
    stream = torch.cuda.Stream(1)
    ids = {"stream_id": stream.stream_id, "device_index": 1, "device_type": stream.device_type}
    assert torch.cuda.Stream(**ids) == stream
    assert hash(torch.cuda.Stream(**ids)) == hash(stream)
    assert torch.cuda.ExternalStream(stream.cuda_stream, device=1) == stream
    assert torch.cuda.get_stream_from_external(stream.cuda_stream, D("cuda:1")) == stream
    assert stream.__cuda_stream__() == (0, stream.cuda_stream)


def test_the_current_stream_is_restored() -> None:
    one, other = torch.cuda.Stream(0), torch.cuda.Stream(3)
    default = torch.cuda.default_stream
    with torch.cuda.stream(one):
        assert torch.cuda.current_stream() == one
        with torch.cuda.stream(other):
            assert torch.cuda.current_device() == 3
            assert torch.cuda.current_stream() == other
            assert torch.cuda.current_stream(0) == one
        assert (torch.cuda.current_device(), torch.cuda.current_stream(3)) == (0, default(3))
    assert torch.cuda.current_stream() == default()
    with pytest.raises(KeyError), torch.cuda.stream(one):
        raise KeyError
    assert torch.cuda.current_stream() == default()
    with torch.cuda.stream(None):
        assert torch.cuda.current_stream() == default()


def test_a_stream_set_stays() -> None:
    stream = torch.cuda.Stream(2)
    torch.cuda.set_stream(stream)
    assert (torch.cuda.current_device(), torch.cuda.current_stream()) == (2, stream)
    assert torch.cuda.current_stream(0) == torch.cuda.default_stream(0)
    torch.cuda.set_stream(torch.cuda.default_stream(2))
    assert torch.cuda.current_stream() == torch.cuda.default_stream(2)


def test_every_thread_has_its_own_current_stream() -> None:
    seen = []
    with torch.cuda.stream(torch.cuda.Stream(0)):
        thread = threading.Thread(target=lambda: seen.append(torch.cuda.current_stream(0)))
        thread.start()
        thread.join()
    assert seen == [torch.cuda.default_stream(0)]


def test_priorities() -> None:
    assert torch.cuda.Stream.priority_range() == (0, -3)
    assert [torch.cuda.Stream(priority=p).priority for p in (0, -1, -9)] == [0, -1, -3]
    with pytest.raises(RuntimeError) as error:
        torch.cuda.Stream(priority=1)
    words = "Expected cuda stream priority to be less than or equal to 0, got 1"
    assert str(error.value).startswith(words)


def test_streams_in_training_change_no_number() -> None:
    def train(stream: torch.cuda.Stream) -> float:
        torch.manual_seed(0)
        layer = torch.nn.Linear(4, 4).cuda()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            x = torch.randn(2, 4, device="cuda")
            x.record_stream(stream)
            loss = layer(x).sum()
        torch.cuda.current_stream().wait_stream(stream)
        loss.backward()
        return layer.weight.grad.sum().item()

    assert train(torch.cuda.Stream()) == train(torch.cuda.default_stream()) != 0


def test_work_is_done_when_it_returns() -> None:
    stream, event = torch.cuda.Stream(1), torch.cuda.Event()
    assert (stream.query(), event.query(), stream.is_capturing()) == (True, True, False)
    assert event.record(stream) is None
    event.wait()
    event.wait(torch.cuda.Stream(2))
    event.synchronize()
    stream.synchronize()
    assert (stream.query(), event.query()) == (True, True)


def test_events_measure_the_machines_time() -> None:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    time.sleep(0.02)
    assert torch.cuda.current_stream().record_event(end) is end
    assert 20 <= begin.elapsed_time(end) < 2000


def test_events_that_measure_nothing() -> None:
    plain, timed = torch.cuda.Event(), torch.cuda.Event(enable_timing=True)
    with pytest.raises(ValueError, match=r"^Both events must be created with argument 'enable_t"):
        plain.elapsed_time(timed)
    with pytest.raises(ValueError, match=r"^Both events must be recorded before calculating"):
        timed.elapsed_time(timed)
    assert (repr(plain), plain.device) == ("<torch.cuda.Event uninitialized>", None)


def test_an_event_belongs_to_the_gpu_it_was_recorded_on() -> None:
    event = torch.cuda.Stream(1).record_event()
    assert event.device == D("cuda:1")
    with pytest.raises(RuntimeError) as error:
        event.record(torch.cuda.Stream(2))
    assert str(error.value) == "Event device 1 does not match recording stream's device 2."


def test_handles_for_other_processes_are_refused_by_name() -> None:
    event = torch.cuda.Event(interprocess=True)
    with pytest.raises(NotImplementedError, match=r"do not have torch\.cuda\.Event\.ipc_handle"):
        event.ipc_handle()


def test_generic_streams_and_events() -> None:
    stream = torch.Stream("cuda:2")
    assert isinstance(stream, torch.cuda.Stream)
    assert isinstance(torch.cuda.Stream(), torch.Stream)
    assert stream.device == D("cuda:2")
    assert torch.Stream(device="cuda", priority=-1).priority == -1
    assert torch.Stream(3).device == torch.Stream(device=D("cuda:3")).device == D("cuda:3")
    assert torch.Stream("cpu").device == D("cpu")
    with stream:
        assert torch.cuda.current_stream() == stream
        assert torch.accelerator.current_stream() == stream
    assert torch.cuda.current_stream(2) == torch.cuda.default_stream(2)
    event = torch.Event(enable_timing=True)
    assert isinstance(event, torch.Event)
    assert isinstance(torch.cuda.Event(), torch.Event)
    assert not isinstance(stream, torch.Event)
    torch.accelerator.set_stream(stream)
    assert torch.accelerator.current_stream() == stream
    torch.cuda.set_stream(torch.cuda.default_stream(2))
