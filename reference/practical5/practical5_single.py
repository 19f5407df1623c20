"""Practical 5, Part 1: the baseline, a model that trains on one GPU."""

import time

import torch
from torch import nn, optim

DIM = 1024
DEPTH = 4
BATCH_SIZE = 64
STEPS = 30
WARM_UP = 5  # first steps, which are slower and left out of the average

device = torch.device("cuda:0")


def build_model():
    layers = []
    for _ in range(DEPTH):
        layers += [nn.Linear(DIM, DIM), nn.ReLU()]
    return nn.Sequential(*layers)


def main():
    model = build_model().to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    training = time.time()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=device)
        y = torch.randn(BATCH_SIZE, DIM, device=device)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        times.append(time.time() - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {times[-1]:.4f} s")
    print(f"Average step time: {sum(times[WARM_UP:]) / len(times[WARM_UP:]):.4f} s")
    print(f"Total training time: {time.time() - training:.4f} s")
    print(f"GPU 0 memory: {torch.cuda.max_memory_allocated(0) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
