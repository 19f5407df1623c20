"""Memory is counted per GPU, once per storage, in blocks of 512 bytes."""

from __future__ import annotations

import gc
import os

import pytest
import torch
from torch import nn

from grader import vgpu
from grader.vgpu import memory

MIB = 1 << 20


@pytest.fixture(autouse=True)
def nothing_left_over(clean: None) -> None:
    gc.collect()
    vgpu.reset()


def held(gpu: int = 4) -> int:
    return torch.cuda.memory_allocated(gpu)


def test_views_share_one_block() -> None:
    x = torch.zeros(1024, 256, device="cuda:4")
    v, w, u = x[10:], x.view(-1), x.t().detach()
    assert held() == MIB
    y = x + 1
    assert held() == 2 * MIB
    del x, y, v
    assert held() == MIB
    del w, u
    assert held() == 0
    assert torch.cuda.max_memory_allocated("cuda:4") == 2 * MIB


def test_blocks_are_rounded_up() -> None:
    x = torch.zeros(1, device="cuda:4")
    assert held() == 512
    y = torch.zeros(129, device="cuda:4")
    assert held() == 512 + 1024
    assert x.element_size() * y.nelement() == 516


def test_autograd_keeps_what_it_saves() -> None:
    layer = nn.Sequential(nn.Linear(256, 256), nn.Tanh(), nn.Linear(256, 256)).to("cuda:4")
    weights = held()
    assert weights == 2 * (256 * 256 * 4 + 1024)
    out = layer(torch.ones(256, 256, device="cuda:4"))
    graph = held() - weights
    assert graph == 3 * 256 * 256 * 4  # input, tanh's result and the output
    out.sum().backward()
    del out
    assert held() == 2 * weights  # gradients as large as the weights


def test_moving_a_module_moves_its_memory() -> None:
    layer = nn.Linear(256, 256).to("cuda:4")
    assert (held(4), held(3)) == (256 * 256 * 4 + 1024, 0)
    layer.to("cuda:3")
    assert (held(4), held(3)) == (0, 256 * 256 * 4 + 1024)
    layer.cpu()
    assert held(3) == 0


def test_peaks_can_start_again() -> None:
    x = torch.zeros(MIB // 4, device="cuda:4")
    y = x + 1
    del y
    assert torch.cuda.max_memory_allocated(4) == 2 * MIB
    torch.cuda.reset_peak_memory_stats(4)
    assert torch.cuda.max_memory_allocated(4) == MIB
    z = x * 2
    assert vgpu.trace().peak_memory == [0, 0, 0, 0, 2 * MIB]
    del z
    vgpu.reset()
    assert vgpu.trace().peak_memory == [0, 0, 0, 0, MIB]


def test_queries_agree() -> None:
    x = torch.zeros(MIB, device="cuda:4")
    torch.cuda.empty_cache()
    assert x.untyped_storage().nbytes() == held() == 4 * MIB
    free, total = torch.cuda.mem_get_info(4)
    assert (total, total - free) == (80 << 30, 4 * MIB)
    stats = torch.cuda.memory_stats(4)
    assert stats["allocated_bytes.all.current"] == 4 * MIB
    assert stats["allocation.all.current"] == 1
    assert torch.cuda.memory_reserved(4) == 4 * MIB
    assert "device ID 4" in torch.cuda.memory_summary(4)


def test_reserved_memory_outlives_tensors_until_the_cache_is_emptied() -> None:
    torch.cuda.empty_cache()
    x = torch.zeros(MIB, device="cuda:3")
    del x
    assert (held(3), torch.cuda.memory_reserved(3)) == (0, 4 * MIB)
    torch.cuda.empty_cache()
    assert torch.cuda.memory_reserved(3) == 0


def test_a_full_gpu_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CAPACITY", 3 * MIB)
    x = torch.zeros(MIB // 2, device="cuda:4")
    with pytest.raises(torch.OutOfMemoryError) as caught:
        x + 1
    assert str(caught.value).startswith(
        "CUDA out of memory. Tried to allocate 2.00 MiB. GPU 4 has a total capacity of 3.00 MiB "
        "of which 1.00 MiB is free. Including non-PyTorch memory, this process has 2.00 MiB memory "
        "in use. Of the allocated memory 2.00 MiB is allocated by PyTorch, and 0 bytes is reserved "
        "by PyTorch but unallocated. If reserved but unallocated memory is large try setting "
        "PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation.  See "
    )
    del caught
    gc.collect()
    assert held() == 2 * MIB
    del x
    assert held() == 0


def test_resizing_grows_the_block() -> None:
    x = torch.zeros(1, device="cuda:4")
    x.resize_(1024)
    assert held() == 4096
    out = torch.empty(0, device="cuda:4")
    torch.add(x, 1, out=out)
    assert held() == 2 * 4096


def test_statistics_count_blocks() -> None:
    torch.cuda.reset_accumulated_memory_stats(4)
    kept = torch.zeros(4, device="cuda:4")
    for _ in range(3):
        torch.zeros(8, device="cuda:4")
    stats = torch.cuda.memory_stats(4)
    made, gone, now = (
        stats[f"allocation.all.{name}"] for name in ("allocated", "freed", "current")
    )
    assert (made, gone, now) == (4, 3, 1)
    assert stats["active.all.allocated"] == 4
    assert list(stats) == sorted(stats)
    assert stats["oversize_allocations.peak"] == 0
    nested = torch.cuda.memory_stats_as_nested_dict(4)
    assert (
        nested["allocated_bytes"]["all"]["current"] == 512 == kept.untyped_storage().nbytes() * 32
    )
    torch.cuda.reset_accumulated_memory_stats(4)
    assert torch.cuda.memory_stats(4)["allocation.all.allocated"] == 0


def test_a_process_can_limit_itself() -> None:
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.25, 4)
    try:
        assert torch.cuda.get_per_process_memory_fraction(4) == 0.25
        assert torch.cuda.get_per_process_memory_fraction(3) == 1.0
        ooms = torch.cuda.memory_stats(4)["num_ooms"]
        with pytest.raises(torch.OutOfMemoryError) as caught:
            memory.Block(4, 21 << 30)
        assert "GPU 4 has a total capacity of 80.00 GiB of which 80.00 GiB is free" in str(
            caught.value
        )
        assert "20.00 GiB allowed; Of the allocated memory 0 bytes" in str(caught.value)
        stats = torch.cuda.memory_stats(4)
        assert (stats["num_ooms"], stats["num_alloc_retries"]) == (ooms + 1, ooms + 1)
        block = memory.Block(4, 19 << 30)
        assert held() == 19 << 30
        del block
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 4)
    block = memory.Block(4, 21 << 30)
    assert held() == 21 << 30
    del block
    with pytest.raises(ValueError, match=r"Invalid fraction value: 1\.5\. Allowed range: 0~1"):
        torch.cuda.set_per_process_memory_fraction(1.5)
    with pytest.raises(TypeError, match="must be `float`"):
        torch.cuda.set_per_process_memory_fraction(1)  # type: ignore[arg-type]


def test_the_summary_is_cudas_table() -> None:
    x = torch.zeros(3 * MIB // 4, device="cuda:4")
    lines = torch.cuda.memory_summary(4).splitlines()
    assert {len(line) for line in lines} == {77}
    assert "PyTorch CUDA memory summary, device ID 4" in lines[1]
    row = next(line for line in lines if "Allocated memory" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["Allocated memory", "3072 KiB", "3072 KiB"]
    assert x.nbytes == 3 * MIB


def test_processes_of_a_gpu() -> None:
    torch.cuda.empty_cache()
    assert torch.cuda.list_gpu_processes(4) == "GPU:4\nno processes are running"
    x = torch.zeros(MIB, device="cuda:4")
    assert torch.cuda.list_gpu_processes(4) == (
        f"GPU:4\nprocess {os.getpid():>10d} uses {4.0:>12.3f} MB GPU memory"
    )
    assert torch.cuda.device_memory_used(4) == x.nbytes
