"""Practical 5, Parts 2 and 4: the same training on all GPUs there are, with nn.DataParallel."""

import time

import torch
from torch import nn, optim

DIM = 1024
DEPTH = 4
BATCH_SIZE = 64
STEPS = 30
WARM_UP = 5  # first steps, which are slower and left out of the average

device = torch.device("cuda:0")  # where the batch starts and the outputs come together


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        layers = []
        for _ in range(DEPTH):
            layers += [nn.Linear(DIM, DIM), nn.ReLU()]
        self.layers = nn.Sequential(*layers)
        self.shows = True

    def forward(self, x):
        if self.shows:
            print(f"Inside model on device {x.device}, shape: {x.shape}")
        return self.layers(x)


def main():
    gpus = torch.cuda.device_count()
    print(f"Number of GPUs: {gpus}")
    model = nn.DataParallel(Model().to(device))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    training = time.time()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=device)
        y = torch.randn(BATCH_SIZE, DIM, device=device)
        if step == 0:  # Part 4: the whole batch here, its parts inside the model
            print(f"Before the model on device {x.device}, shape: {x.shape}")
        model.module.shows = step == 0
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
    for gpu in range(gpus):
        print(f"GPU {gpu} memory: {torch.cuda.max_memory_allocated(gpu) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
