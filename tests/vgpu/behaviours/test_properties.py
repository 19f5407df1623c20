"""What a GPU says it is, by default an A100 of 80 GiB."""

from __future__ import annotations

import pytest
import torch

from grader.vgpu.clock.spec import PRESETS
from grader.vgpu.patches import properties


def test_the_default_is_an_a100() -> None:
    one, two = (torch.cuda.get_device_properties(i) for i in (1, 2))
    assert (one.name, one.major, one.minor) == ("Virtual A100", 8, 0)
    assert (one.multi_processor_count, one.warp_size, one.total_memory) == (108, 32, 80 << 30)
    assert one.shared_memory_per_block_optin == 163 << 10
    assert one.regs_per_multiprocessor == 65536
    assert str(one).startswith("_CudaDeviceProperties(name='Virtual A100', major=8, minor=0, total")
    assert one.uuid != two.uuid
    assert one != two


def test_every_field_of_this_torch_is_there() -> None:
    real = getattr(torch._C, "_CudaDeviceProperties", None)
    names = {"name", "major", "minor", "total_memory"} | {
        name for name in dir(real) if real is not None and not name.startswith("_")
    } - set(dir(type(None)))
    ours = torch.cuda.get_device_properties(0)
    assert sorted(name for name in names if not hasattr(ours, name)) == []


@pytest.mark.parametrize(
    ("kind", "capability", "bf16"),
    [("T4", (7, 5), False), ("V100", (7, 0), False), ("H200", (9, 0), True)],
)
def test_other_kinds(
    kind: str, capability: tuple[int, int], bf16: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(properties._Kind, "name", kind)
    major, minor = capability
    assert torch.cuda.get_device_name(0) == f"Virtual {kind}"
    assert torch.cuda.get_device_capability(0) == capability
    assert torch.cuda.get_arch_list() == [f"sm_{major}{minor}"]
    assert (
        torch.cuda.get_gencode_flags()
        == f"-gencode compute=compute_{major}{minor},code=sm_{major}{minor}"
    )
    assert torch.cuda.is_bf16_supported(including_emulation=False) is bf16
    assert torch.cuda.is_tf32_supported() is bf16
    assert torch.cuda.is_bf16_supported()


def test_every_preset_has_a_chip() -> None:
    assert set(properties._CHIPS) == set(PRESETS)


def test_backends() -> None:
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = not before
    assert torch.backends.cuda.matmul.allow_tf32 is not before
    torch.backends.cuda.matmul.allow_tf32 = before
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.deterministic = True
    assert torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = torch.backends.cudnn.deterministic = False
    assert torch.backends.cuda.is_built()
    assert not torch.backends.cudnn.is_available()
    x = torch.ones(1, 1, 4, 4, device="cuda")
    with torch.backends.cudnn.flags(enabled=True):
        out = torch.nn.functional.conv2d(x, x)
    assert out.item() == 16
