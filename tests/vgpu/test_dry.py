"""Dry mode: placement, transfers and memory of models that fit nowhere, without data."""

from __future__ import annotations

import json

BIG = """
import json, resource, torch
from torch import nn
import torch._dynamo, torch.distributed.tensor  # what the first Module.to and optimizer import
from grader import vgpu
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
WIDTH, DEPTH = 16384, 200
layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(DEPTH))
for i, layer in enumerate(layers):
    layer.to(f"cuda:{i // 40}")
x, y = torch.randn(64, WIDTH), torch.randn(64, WIDTH)
optimizer = torch.optim.SGD(layers.parameters(), lr=0.01)
vgpu.reset()
h = x
for i, layer in enumerate(layers):
    h = torch.relu(layer(h.to(f"cuda:{i // 40}")))
loss = nn.functional.mse_loss(h, y.to(h.device))
held = [torch.cuda.memory_allocated(gpu) >> 30 for gpu in range(5)]
try:
    loss.backward()
    optimizer.step()
    end = str(loss.item())
except torch.OutOfMemoryError as error:
    end = str(error)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
trace = vgpu.trace()
print(json.dumps([held, end, trace.gpu_to_gpu(0), len(trace.forwards()), (after - before) >> 10]))
"""


def test_a_model_that_fits_nowhere(python) -> None:
    child = python("-c", BIG, VGPU="5", VGPU_DATA="meta")
    held, end, _, forwards, grown = json.loads(child.stdout)
    assert held == [40] * 5
    assert end.startswith("CUDA out of memory. Tried to allocate 1.00 GiB. GPU 4 has a total")
    assert forwards == 200
    assert grown < 100  # MiB, where the weights alone would be 200 GiB


def test_the_same_fits_gpus_with_more_memory(python) -> None:
    child = python("-c", BIG, VGPU="5", VGPU_DATA="meta", VGPU_MEMORY="141GB")
    assert json.loads(child.stdout)[1] == "nan"


SHAPES = """
import torch
from torch import nn
x = torch.randn(1000, 1000)
print(x.device, x.is_cuda, x)
print((x @ x).shape, (x + torch.ones(1000)).device, x.cuda(1).cpu().device, x.type())
print(torch.arange(4).tolist(), torch.zeros(2, device="cuda:1"))
print(x.cuda(1))
model = nn.Sequential(nn.Linear(1000, 1000), nn.ReLU(), nn.Linear(1000, 10)).cuda()
scaler = torch.amp.GradScaler("cuda")
optimizer = torch.optim.Adam(model.parameters())
with torch.autocast("cuda"):
    loss = nn.functional.cross_entropy(model(x.cuda()), torch.zeros(1000, dtype=torch.long).cuda())
scaler.scale(loss).backward()
scaler.step(optimizer)
scaler.update()
print(loss.item(), len(optimizer.state), torch.cuda.memory_allocated() > 16_000_000)
"""


def test_shapes_devices_and_small_numbers_are_those_of_a_real_run(python) -> None:
    lines = python("-c", SHAPES, VGPU="2", VGPU_DATA="meta").stdout.splitlines()
    assert lines == [
        "cpu False tensor(..., device='cpu', size=(1000, 1000))",
        "torch.Size([1000, 1000]) cpu cpu torch.FloatTensor",
        "[0, 1, 2, 3] tensor(..., device='cuda:1', size=(2,))",
        "tensor(..., device='cuda:1', size=(1000, 1000))",
        "nan 4 True",
    ]


MISSING = {
    "x.cuda().argmax().item()": "the value of a tensor of torch.int64",
    "bool((x.cuda() > 0).any())": "the value of a tensor of torch.bool",
    "x.numpy()": "the numbers of a tensor",
    "x.cuda().cpu().tolist()": "the numbers of a tensor",
    "x.cuda().nonzero()": "the result of aten::nonzero",
    "torch.save(x.cuda(), 'x.pt')": "the numbers of a tensor",
}
ASK = """
import sys, torch
x = torch.randn(1000, 1000)
for use in sys.argv[1:]:
    try:
        eval(use)
    except RuntimeError as error:
        print(error)
"""


def test_what_needs_numbers_is_refused(python) -> None:
    child = python("-c", ASK, *MISSING, VGPU="1", VGPU_DATA="meta")
    assert child.stdout.splitlines() == [
        f"dry mode has no data, and so not {missing}; run without --dry what depends on values"
        for missing in MISSING.values()
    ]
