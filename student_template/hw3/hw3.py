"""Home Work 3: layer-wise model parallelism. This is the base code; make it yours, task by task.

Run it on two virtual GPUs with `vgpu -n 2 hw3.py`, see what it earns with `pytest .`, and read
README.md for the rest.
"""

import time

import torch
from torch import nn, optim

# Configuration
# Task 2: run with DEPTH = 6, 12 and 24, and note the average step time of each.
# Task 4: DEPTH = 20, once on 2 GPUs and once on 5.
DIM = 4096  # 512 is enough while you try things out, and much faster on a laptop
DEPTH = 6
BATCH_SIZE = 64
STEPS = 20

# Task 3: two devices with fixed numbers. How could the program ask how many GPUs there are?
device0 = torch.device("cuda:0")
device1 = torch.device("cuda:1")


class LargeLinearModelMP(nn.Module):
    """`depth` layers of width `dim`: the first half on GPU 0, the second half on GPU 1."""

    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            # Task 1, Q1: how many of the layers does each branch get?
            # Task 3: replace the two branches. Use all GPUs, however many there are, and let
            # no GPU have more than one layer more than another, also where the number of GPUs
            # does not divide the depth (try 7 layers on 3 GPUs with pen and paper first).
            if i < depth // 2:
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device0)
            else:
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device1)
            self.layers.append(layer)

    def forward(self, x):
        """Run x through all layers; each layer waits for the one before it."""
        for layer in self.layers:
            # Task 1, Q2: in which turn of this loop does x change its GPU?
            # Task 5: how often is .to() called here, and how often does it really move x?
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    """Train on random data, then print step time and memory."""
    model = LargeLinearModelMP(DIM, DEPTH)
    # A look at the distribution helps with every task:
    # for i, layer in enumerate(model.layers):
    #     print(i, next(layer.parameters()).device)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(device0)
        # Task 3: the loss needs output and target on one GPU. On which one is the output?
        y = torch.randn(BATCH_SIZE, DIM).to(device1)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    # The first steps are slower (everything is new), so they are left out.
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    # Task 4: all GPUs, please, not only two.
    for i in range(2):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
