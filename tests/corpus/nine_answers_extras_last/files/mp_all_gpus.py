import sys
import time
import torch
from torch import nn

DIM, DEPTH, BATCH_SIZE, STEPS = 4096, 6, 64, 20
if len(sys.argv) > 1:
    DEPTH = int(sys.argv[1])

GPUS = [torch.device(f"cuda:{k}") for k in range(torch.cuda.device_count())]


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        sizes = [depth // len(GPUS)] * len(GPUS)
        for k in range(depth % len(GPUS)):
            sizes[-1 - k] += 1          # leftovers go to the end of the row
        self.layers = nn.ModuleList()
        for gpu, size in zip(GPUS, sizes):
            for _ in range(size):
                self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(gpu))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def sync():
    for gpu in GPUS:
        torch.cuda.synchronize(gpu)


if __name__ == "__main__":
    model = LargeLinearModelMP(DIM, DEPTH)
    print(*[layer[0].weight.device.index for layer in model.layers])
    opt = torch.optim.SGD(model.parameters(), lr=0.01)
    mse = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(GPUS[0])
        y = torch.randn(BATCH_SIZE, DIM).to(GPUS[-1])
        sync()
        t = time.perf_counter()
        opt.zero_grad()
        mse(model(x), y).backward()
        opt.step()
        sync()
        times.append(time.perf_counter() - t)
    times = sorted(times[5:])
    print(f"DEPTH {DEPTH}, {len(GPUS)} GPUs: {1e3 * times[len(times) // 2]:.2f} ms")
    print([f"{torch.cuda.max_memory_allocated(g) / 2**20:.0f} MiB" for g in GPUS])
