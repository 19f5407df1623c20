"""On a machine with a GPU: the same trace from the observer, virtual GPUs with their data on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(torch.cuda.device_count() == 0, reason="this machine has no GPU"),
]

REFERENCE = Path(__file__).parents[2] / "reference" / "hw3" / "hw3.py"

TRAIN = """
import json, torch
from torch import nn
from grader import vgpu
count = torch.cuda.device_count()
torch.manual_seed(0)
torch.backends.cuda.matmul.allow_tf32 = False
layers = [nn.Linear(64, 64).to(f"cuda:{i * count // 10}") for i in range(10)]

class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = torch.relu(layer(x.to(layer.weight.device)))
        return x

model = Chain()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(32, 64), torch.randn(32, 64)
vgpu.reset()
losses = []
for _ in range(3):
    optimizer.zero_grad()
    out = model(x)
    loss = nn.functional.mse_loss(out, y.to(out.device))
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
trace = vgpu.trace()
print(json.dumps({
    "losses": losses,
    "layers": [trace.layers(n) for n in trace.forwards()],
    "edges": [[e.source, e.target, e.count, e.bytes] for e in trace.edges()],
    "to": trace.calls_of_to(),
    "kind": str(vgpu.runtime.settings().devices),
}))
"""


def ran(python, **variables: str):
    child = python("-c", "import grader.vgpu.runtime\n" + TRAIN, **variables)
    assert child.returncode == 0, child.stderr
    return json.loads(child.stdout)


def test_the_observer_sees_what_virtual_gpus_write_down(python) -> None:
    real = ran(python, VGPU="1", VGPU_DEVICES="cuda")
    virtual = ran(python, VGPU="1")
    assert real.pop("losses") == pytest.approx(virtual.pop("losses"), rel=1e-4)
    assert (real.pop("kind"), virtual.pop("kind")) == ("cuda", "virtual")
    assert real == virtual


@pytest.mark.parametrize("count", [2, 5])
def test_virtual_gpus_on_a_real_one(python, count: int) -> None:
    here = ran(python, VGPU=str(count))
    there = ran(python, VGPU=str(count), VGPU_DATA="cuda")
    assert there.pop("losses") == pytest.approx(here.pop("losses"), rel=1e-4)
    assert there == here


def test_auto_takes_real_gpus_where_there_are_enough(python) -> None:
    enough = str(torch.cuda.device_count())
    too_many = str(torch.cuda.device_count() + 1)
    assert ran(python, VGPU=enough, VGPU_DEVICES="auto")["kind"] == "cuda"
    assert ran(python, VGPU=too_many, VGPU_DEVICES="auto")["kind"] == "virtual"


@pytest.mark.parametrize("count", [2, 5])
def test_the_reference_trains_with_its_data_on_a_real_gpu(python, count: int) -> None:
    child = python("-m", "grader.vgpu.cli", "-n", str(count), "--on", "cuda", REFERENCE)
    assert child.returncode == 0, child.stderr
    assert f"cuda:{count - 2} -> cuda:{count - 1}" in child.stderr
