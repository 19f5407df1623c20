"""Switching a process over: by call or by environment, before or after `import torch`."""

from __future__ import annotations

import json

import pytest

STATE = """
import json, torch
print(json.dumps([torch.cuda.is_available(), torch.cuda.device_count()]))
"""


def test_the_environment_suffices(python) -> None:
    child = python("-c", STATE, VGPU="5")
    assert (json.loads(child.stdout), child.stderr) == ([True, 5], "")


def test_without_it_torch_is_untouched(python) -> None:
    program = (
        "import torch, sys; print(torch.device.__module__, 'grader.vgpu.tensor' in sys.modules)"
    )
    assert python("-c", program).stdout.split() == ["torch", "False"]
    assert python("-c", program, VGPU=" ").stdout.split() == ["torch", "False"]


@pytest.mark.parametrize("first", ["import torch", "import grader"])
def test_install_works_before_and_after_torch(python, first: str) -> None:
    program = f"""
{first}
from grader import vgpu
assert not vgpu.is_installed()
vgpu.install(3)
vgpu.install(3)
import torch
from torch.cuda import device_count
assert not torch.cuda.is_initialized()
x = torch.ones(2).to("cuda:2")
print(vgpu.is_installed(), device_count(), x.device, torch.cuda.is_initialized())
try:
    vgpu.install(4)
except Exception as error:
    print(type(error).__name__, error)
"""
    lines = python("-c", program).stdout.splitlines()
    assert lines[0] == "True 3 cuda:2 True"
    assert lines[1].startswith("UsageError virtual GPUs cannot be changed within a process; expect")


def test_a_call_comes_before_the_environment(python) -> None:
    program = "from grader import vgpu; vgpu.install(2)" + STATE
    assert json.loads(python("-c", program, VGPU="5").stdout) == [True, 2]


def test_a_machine_without_gpus(python) -> None:
    program = """
import torch
from torch import nn
print(torch.cuda.is_available(), torch.cuda.device_count())
for use in (lambda: torch.ones(1).cuda(), lambda: nn.Linear(1, 1).to("cuda:0"),
            lambda: torch.zeros(1, device="cuda"), torch.cuda.current_device):
    try:
        use()
    except AssertionError as error:
        print(error)
print(nn.Linear(2, 2).to("cpu")(torch.ones(1, 2)).device, torch.cuda.max_memory_allocated())
"""
    child = python("-c", program, VGPU="0")
    assert child.stdout.splitlines() == [
        "False 0",
        *["Torch not compiled with CUDA enabled"] * 4,
        "cpu 0",
    ]


@pytest.mark.parametrize("count", ["-1", "129", "five", "2.5"])
def test_a_wrong_count_is_refused(python, count: str) -> None:
    child = python("-c", "from grader import vgpu; vgpu.install()", VGPU=count)
    assert child.returncode == 1
    assert child.stderr.splitlines()[-1].endswith(
        f"the environment variable VGPU; expected a whole number from 0 to 128; found '{count}'"
    )


def test_a_pin_in_the_script(python) -> None:
    program = """
import os
os.environ["CUDA_VISIBLE_DEVICES"] = "3,1"
import torch
print(torch.cuda.device_count(), torch.ones(1).cuda(1).device)
try:
    torch.ones(1).cuda(2)
except RuntimeError as error:
    print(str(error).splitlines()[0])
from grader import vgpu
print(vgpu.trace().devices)
"""
    child = python("-c", program, VGPU="5")
    assert child.stdout.splitlines() == [
        "2 cuda:1",
        "CUDA error: invalid device ordinal",
        "2",
    ]


def test_all_on_one_device(python) -> None:
    program = """
from grader import vgpu
vgpu.install(4, collapse=True, heed_pins=False)
import os, torch
from torch import nn
os.environ["CUDA_VISIBLE_DEVICES"] = "0"
layers = [nn.Linear(2, 2).to(f"cuda:{i}") for i in range(torch.cuda.device_count())]
x = torch.ones(1, 2).to("cuda:1")
for i, layer in enumerate(layers):
    x = layer(x.to(f"cuda:{i}"))
x.sum().backward()
trace = vgpu.trace()
print(len(layers), x.device, {p.grad.device.index for l in layers for p in l.parameters()})
print([n for n in range(4) for _ in trace.layers(n)], set(trace.placement()))
print(sum(-1 not in (t.source, t.target) for t in trace.transfers))
print(torch.cuda.memory_allocated(3) == torch.cuda.memory_allocated(0) > 0)
try:
    x.to("cuda:4")
except RuntimeError as error:
    print(str(error).splitlines()[0])
"""
    assert python("-c", program).stdout.splitlines() == [
        "4 cuda:0 {0}",
        "[0, 1, 2, 3] {0}",
        "0",
        "True",
        "CUDA error: invalid device ordinal",
    ]


def test_asking_before_installing(python) -> None:
    program = "from grader import vgpu; vgpu.trace()"
    assert "call grader.vgpu.install() first" in python("-c", program).stderr
