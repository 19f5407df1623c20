"""torch.cuda answers for virtual GPUs."""

from __future__ import annotations

import threading
import time

import pytest
import torch
from torch import nn

D = torch.device


def test_counting() -> None:
    assert (torch.cuda.is_available(), torch.cuda.device_count()) == (True, 5)
    assert torch.accelerator.current_accelerator() == D("cuda")
    assert torch.accelerator.device_count() == 5


def test_the_current_device() -> None:
    torch.cuda.set_device(2)
    assert torch.cuda.current_device() == 2
    assert torch.zeros(2, device="cuda").device == D("cuda:2")
    assert torch.zeros(2).cuda().device == torch.zeros(2).to("cuda").device == D("cuda:2")
    with torch.cuda.device(3):
        assert torch.zeros(1).cuda().device == D("cuda:3")
        with torch.cuda.device("cuda:1"):
            assert torch.cuda.current_device() == 1
        with torch.cuda.device_of(torch.zeros(1, device="cuda:4")):
            assert torch.cuda.current_device() == 4
    assert torch.cuda.current_device() == 2
    torch.cuda.set_device("cuda:0")
    assert torch.cuda.current_device() == 0


def test_what_a_gpu_is() -> None:
    properties = torch.cuda.get_device_properties(4)
    assert torch.cuda.get_device_name(1) == properties.name == "Virtual A100"
    assert properties.total_memory == 80 << 30
    assert torch.cuda.get_device_capability() == (properties.major, properties.minor) == (8, 0)
    for ask in (torch.cuda.get_device_name, torch.cuda.get_device_properties):
        with pytest.raises(AssertionError, match="Invalid device id"):
            ask(5)
    with pytest.raises(RuntimeError, match="Invalid device argument 7: did you call init"):
        torch.cuda.memory_allocated(7)
    with pytest.raises(ValueError, match="Expected a cuda device, but got: cpu"):
        torch.cuda.synchronize("cpu")


def test_events_measure_time() -> None:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    time.sleep(0.02)
    end.record()
    torch.cuda.synchronize()
    assert 15 < start.elapsed_time(end) < 2000
    assert end.query()
    with pytest.raises(ValueError, match="enable_timing=True"):
        torch.cuda.Event().elapsed_time(end)
    with pytest.raises(ValueError, match="must be recorded"):
        start.elapsed_time(torch.cuda.Event(enable_timing=True))


def test_streams() -> None:
    stream = torch.cuda.Stream(device="cuda:3")
    assert stream.device == D("cuda:3")
    with torch.cuda.stream(stream):
        assert torch.zeros(1, device="cuda").device == D("cuda:3")
    assert torch.cuda.current_device() == 0
    event = stream.record_event()
    torch.cuda.current_stream().wait_event(event)
    torch.cuda.current_stream(2).wait_stream(stream)
    assert torch.cuda.current_stream("cuda:3").query()
    assert torch.cuda.default_stream(3) == torch.cuda.current_stream(3)


def test_seeds_give_the_cpus_numbers() -> None:
    torch.manual_seed(7)
    here = torch.randn(3)
    torch.manual_seed(7)
    there = torch.randn(3, device="cuda:2")
    assert torch.equal(here, there.cpu())
    torch.cuda.manual_seed_all(9)
    first = torch.randn(3, device="cuda:1")
    torch.cuda.manual_seed(9)
    assert torch.equal(first, torch.randn(3, device="cuda:1"))
    state = torch.cuda.get_rng_state(1)
    first = torch.rand(2, device="cuda:1")
    torch.cuda.set_rng_state(state, 1)
    assert torch.equal(first, torch.rand(2, device="cuda:1"))


def test_every_thread_has_its_own_current_device() -> None:
    seen: dict[int, list[object]] = {}

    def work(gpu: int) -> None:
        torch.cuda.set_device(gpu)
        layer = nn.Linear(4, 4).cuda()
        out = layer(torch.ones(2, 4, device="cuda"))
        out.sum().backward()
        seen[gpu] = [layer.weight.grad.device.index, torch.cuda.current_device()]

    threads = [threading.Thread(target=work, args=(gpu,)) for gpu in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {gpu: [gpu, gpu] for gpu in range(5)}
    assert torch.cuda.current_device() == 0


def test_data_loaders_feed_gpus() -> None:
    from torch.utils.data import DataLoader, TensorDataset

    data = TensorDataset(torch.arange(10.0), torch.arange(10))
    got = []
    for x, y in DataLoader(data, batch_size=4, pin_memory=True):
        assert x.is_pinned()
        got += (x.to("cuda:1", non_blocking=True) + y.cuda(1)).tolist()
    assert got == [2.0 * i for i in range(10)]
