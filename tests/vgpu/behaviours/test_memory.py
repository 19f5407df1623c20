"""Memory is counted per GPU, once per storage, in blocks of 512 bytes."""

from __future__ import annotations

import gc

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
