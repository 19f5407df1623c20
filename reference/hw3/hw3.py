"""Home Work 3: one model, spread layer by layer over every GPU there is.

    python hw3.py        on the machine's own GPUs
    vgpu -n 5 hw3.py     on five virtual GPUs, on any laptop

For Task 2, change DEPTH below (6, 12, 24); Tasks 4 and 5 use DEPTH = 20.
"""

import time
from itertools import pairwise

import torch
from torch import nn, optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
WARM_UP_STEPS = 5  # left out of the average

MIB = 1024**2


class LargeLinearModelMP(nn.Module):
    """A stack of `depth` Linear + ReLU layers, each `dim` wide.

    Layer i lives on GPU `i * num_gpus // depth`. Neighbours stay together, so x changes its
    GPU only num_gpus - 1 times, and no GPU has more than one layer more than another.
    """

    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        if num_gpus == 0:
            raise RuntimeError("no GPU is visible; try: vgpu -n 2 hw3.py")
        self.layers = nn.ModuleList()
        for i in range(depth):
            device = torch.device("cuda", i * num_gpus // depth)
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

    def devices(self):
        """The device of each layer, in order."""
        return [next(layer.parameters()).device for layer in self.layers]

    def forward(self, x):
        """Run x through all layers, handing it on wherever the next layer is elsewhere."""
        for layer, device in zip(self.layers, self.devices(), strict=True):
            x = x.to(device)  # the baton pass; costs nothing where x is there already
            x = layer(x)
        return x


def describe(model):
    """Print which GPU holds how many layers, and how often x changes its GPU."""
    devices = model.devices()
    for gpu in range(torch.cuda.device_count()):
        held = [i for i, device in enumerate(devices) if device.index == gpu]
        print(f"GPU {gpu}: {len(held)} layers {held}")
    moves = sum(here != there for here, there in pairwise(devices))
    print(f"one forward pass: {len(devices)} calls of x.to(), {moves} transfers between GPUs")


def train(model):
    """Train on random data and return the time of each step in seconds."""
    devices = model.devices()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(devices[0])
        y = torch.randn(BATCH_SIZE, DIM).to(devices[-1])
        synchronize()
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        synchronize()
        times.append(time.perf_counter() - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {times[-1]:.4f} s")
    return times


def synchronize():
    """Wait until every GPU is done; torch.cuda.synchronize() asks the current one only."""
    for gpu in range(torch.cuda.device_count()):
        torch.cuda.synchronize(gpu)


def main():
    """Build, describe, train, and report step time and memory."""
    model = LargeLinearModelMP(DIM, DEPTH)
    describe(model)
    measured = train(model)[WARM_UP_STEPS:]
    print(f"DEPTH {DEPTH}: average step time {sum(measured) / len(measured):.4f} s")
    for gpu in range(torch.cuda.device_count()):
        print(f"GPU {gpu}: peak memory {torch.cuda.max_memory_allocated(gpu) / MIB:.1f} MiB")


if __name__ == "__main__":
    main()
