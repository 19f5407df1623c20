"""Practical 8: a model on two GPUs, its training, the move between them, and what it takes."""

import time

import torch
from torch import nn, optim

BATCH, WIDTH, HIDDEN = 32, 1000, 2000
STEPS, ROUNDS = 5, 20

device0 = torch.device("cuda:0")
device1 = torch.device("cuda:1")


class SimpleMPModel(nn.Module):
    """The first layer on GPU 0, the second on GPU 1. `tells`: forward() prints where x is."""

    def __init__(self, *, tells=False):
        super().__init__()
        self.tells = tells
        self.layer1 = nn.Linear(WIDTH, HIDDEN).to(device0)
        self.layer2 = nn.Linear(HIDDEN, WIDTH).to(device1)
        self.relu = nn.ReLU()  # holds nothing, so it works wherever its input is

    def forward(self, x):
        x = self.relu(self.layer1(x.to(device0)))
        if self.tells:
            print("Before move:", x.device)
        x = x.to(device1)  # the only move between the GPUs
        if self.tells:
            print("After move:", x.device)
        return self.relu(self.layer2(x))


def show():
    """Parts 1 and 3: where the output is, and where x is on the way."""
    output = SimpleMPModel(tells=True)(torch.randn(BATCH, WIDTH))
    print("The output is on", output.device)


def train():
    """Part 2. The output is on GPU 1: there the loss is computed, so the target has to be there."""
    model, loss_fn = SimpleMPModel(), nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for step in range(STEPS):
        x, y = torch.randn(BATCH, WIDTH), torch.randn(BATCH, WIDTH).to(device1)
        loss = loss_fn(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"Step {step}, Loss: {loss.item():.4f}")


def wait():
    """Until both GPUs have finished; without a device, synchronize() waits for GPU 0 only."""
    for device in (device0, device1):
        torch.cuda.synchronize(device)


def measure():
    """Part 4: the mean of some forward passes, when the first has warmed the GPUs up."""
    model, x = SimpleMPModel(), torch.randn(BATCH, WIDTH)
    with torch.no_grad():
        model(x)
        wait()
        start = time.perf_counter()
        for _ in range(ROUNDS):
            model(x)
            wait()
        end = time.perf_counter()
    print(f"Forward time: {(end - start) / ROUNDS * 1000:.3f} ms")


if __name__ == "__main__":
    show()
    train()
    measure()
