import sys
import time

import torch
from torch import nn, optim

from model import LargeLinearModelMP

DIM = 4096
DEPTH = int(sys.argv[1]) if len(sys.argv) > 1 else 20
BATCH_SIZE = 64
STEPS = 20


def synchronize() -> None:
    for k in range(torch.cuda.device_count()):
        torch.cuda.synchronize(k)


def main() -> None:
    model = LargeLinearModelMP(DIM, DEPTH)
    for i, layer in enumerate(model.layers):
        print(i, next(layer.parameters()).device)

    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM)                          # stays on the CPU
        y = torch.randn(BATCH_SIZE, DIM).to(model.out_device())
        synchronize()
        start = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        synchronize()
        times.append(time.time() - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {times[-1]:.4f} s")

    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for k in range(torch.cuda.device_count()):
        print(f"GPU {k} memory: {torch.cuda.max_memory_allocated(k) / 1024**3:.2f} GB")


if __name__ == "__main__":
    main()
