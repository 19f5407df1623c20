"""torch.accelerator: the same GPUs, memory and streams by another name."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import accelerator

MIB = 1 << 20


def test_which_accelerator() -> None:
    assert accelerator.is_available()
    assert accelerator.current_accelerator() == torch.device("cuda")
    assert accelerator.current_accelerator(check_available=True) == torch.device("cuda")
    assert accelerator.device_count() == 5


def test_the_current_device() -> None:
    accelerator.set_device_index(2)
    assert accelerator.current_device_index() == torch.cuda.current_device() == 2
    accelerator.set_device_index("cuda:1")
    with accelerator.device_index(3):
        assert torch.zeros(1, device="cuda").device == torch.device("cuda:3")
        with accelerator.device_index(None):
            assert accelerator.current_device_index() == 3
    assert accelerator.current_device_index() == 1
    with pytest.raises(ValueError, match="cpu"):
        accelerator.set_device_index("cpu")


def test_memory() -> None:
    gc.collect()
    torch.cuda.empty_cache()
    accelerator.reset_peak_memory_stats(3)
    before = accelerator.memory_allocated(3)
    x = torch.zeros(MIB, device="cuda:3")
    y = x + 1
    del y
    assert accelerator.memory_allocated(3) - before == 4 * MIB
    assert accelerator.max_memory_allocated("cuda:3") - before == 8 * MIB
    assert accelerator.memory_reserved(3) == torch.cuda.memory_reserved(3)
    assert accelerator.max_memory_reserved(3) == torch.cuda.max_memory_reserved(3)
    stats = accelerator.memory_stats(3)
    assert stats["allocated_bytes.all.current"] - before == x.nbytes
    accelerator.reset_accumulated_memory_stats(3)
    assert accelerator.memory_stats(3)["allocation.all.allocated"] == 0
    accelerator.empty_cache()
    assert accelerator.memory_reserved(3) == 4 * MIB
    if hasattr(accelerator, "get_memory_info"):
        assert accelerator.get_memory_info(3) == torch.cuda.mem_get_info(3)


def test_streams() -> None:
    side = torch.cuda.Stream(device=2)
    before = accelerator.current_stream(2)
    accelerator.set_stream(side)
    try:
        assert accelerator.current_stream(2) == torch.cuda.current_stream(2) == side != before
    finally:
        accelerator.set_stream(before)
    accelerator.synchronize(2)
    assert accelerator.current_stream("cuda:2") == before


def test_dtypes() -> None:
    if not hasattr(accelerator, "get_device_capability"):
        assert torch.__version__.startswith(("2.9.", "2.10.", "2.11.", "2.12."))
        return
    dtypes = accelerator.get_device_capability(1)["supported_dtypes"]
    assert {torch.float32, torch.bfloat16, torch.int64, torch.bool} <= dtypes
    assert torch.quint8 not in dtypes


def test_random_states() -> None:
    random = getattr(accelerator, "random", None)
    if random is None:  # before torch 2.15
        assert torch.cuda.get_rng_state(1).numel() == 16
        return
    torch.manual_seed(6)
    assert accelerator.random.initial_seed(2) == 6
    assert torch.equal(accelerator.random.get_rng_state(2), torch.cuda.get_rng_state(2))
    assert len(accelerator.random.get_rng_state_all()) == 5
