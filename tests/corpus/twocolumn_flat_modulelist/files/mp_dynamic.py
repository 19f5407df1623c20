"""Dynamic model parallelism. Set the number of GPUs with CUDA_VISIBLE_DEVICES."""
import os
import time

import torch
from torch import nn

DIM = 4096
DEPTH = int(os.environ.get("DEPTH", "20"))
BATCH_SIZE = 64
STEPS = 30
SKIP = 10


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        self.depth = depth

        # devices[i] is where layer i lives; GPU g owns the
        # layers  g*depth//n  ...  (g+1)*depth//n - 1
        self.devices = []
        for g in range(n):
            lo, hi = g * depth // n, (g + 1) * depth // n
            self.devices += [torch.device("cuda", g)] * (hi - lo)

        # one "layer" = LayerNorm, Linear, ReLU (flat list, three entries each)
        self.layers = nn.ModuleList()
        for dev in self.devices:
            self.layers.append(nn.LayerNorm(dim).to(dev))
            self.layers.append(nn.Linear(dim, dim).to(dev))
            self.layers.append(nn.ReLU())      # nothing to move, no parameters

    def forward(self, x):
        for i in range(self.depth):
            x = x.to(self.devices[i])
            x = self.layers[3 * i](x)
            x = self.layers[3 * i + 1](x)
            x = self.layers[3 * i + 2](x)
        return x


def sync():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


if __name__ == "__main__":
    torch.manual_seed(0)
    net = LargeLinearModelMP(DIM, DEPTH)
    print([d.index for d in net.devices])

    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    mse = nn.MSELoss()
    elapsed = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=net.devices[0])
        y = torch.randn(BATCH_SIZE, DIM, device=net.devices[-1])
        sync()
        tic = time.perf_counter()
        opt.zero_grad()
        loss = mse(net(x), y)
        loss.backward()
        opt.step()
        sync()
        elapsed.append((time.perf_counter() - tic) * 1e3)

    mean = sum(elapsed[SKIP:]) / len(elapsed[SKIP:])
    print(f"depth {DEPTH}, {torch.cuda.device_count()} GPU(s): {mean:.1f} ms per step, loss {loss.item():.4f}")
    for g in range(torch.cuda.device_count()):
        print(f"cuda:{g} peak {torch.cuda.max_memory_allocated(g) / 2**20:.0f} MiB")
