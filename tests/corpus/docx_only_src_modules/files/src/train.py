import time

import torch
import torch.nn as nn
import torch.optim as optim

from constants import BATCH_SIZE, DEPTH, DIM, LEARNING_RATE, SEED, SKIP_STEPS, STEPS
from model import LargeLinearModelMP


def sync():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def one_step(model, optimizer, loss_fn, x, y):
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


def main():
    torch.manual_seed(SEED)
    model = LargeLinearModelMP(DIM, DEPTH)
    for i, layer in enumerate(model.layers):
        print(f"layer {i}: {next(layer.parameters()).device}")

    optimizer = optim.SGD(model.parameters(), lr=LEARNING_RATE)
    loss_fn = nn.MSELoss()

    total = 0.0
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(model.input_device)
        y = torch.randn(BATCH_SIZE, DIM).to(model.output_device)
        sync()
        start = time.perf_counter()
        loss = one_step(model, optimizer, loss_fn, x, y)
        sync()
        elapsed = time.perf_counter() - start
        if step >= SKIP_STEPS:
            total += elapsed
        if step % 10 == 0:
            print(f"step {step}: loss {loss.item():.4f} ({elapsed * 1000:.1f} ms)")

    print(f"average step time: {1000 * total / (STEPS - SKIP_STEPS):.1f} ms")
    for g in range(torch.cuda.device_count()):
        print(f"cuda:{g}: {torch.cuda.max_memory_allocated(g) / 1024**3:.2f} GB")


if __name__ == "__main__":
    main()
