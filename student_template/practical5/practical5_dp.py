"""Practical 5, Parts 2 and 4: the same training, soon on all GPUs there are.

Until you change it, it does what practical5_single.py does. Run it with
`vgpu -n 2 practical5_dp.py`, then with 3 and with 5, without editing it in between.
"""

import time

import torch
from torch import nn, optim

# Configuration
DIM = 1024
DEPTH = 4
BATCH_SIZE = 64
STEPS = 30
WARM_UP = 5  # the first steps are slower (everything is new), so the average leaves them out

device = torch.device("cuda:0")


class LargeModel(nn.Module):
    """DEPTH layers of width DIM."""

    def __init__(self):
        super().__init__()
        layers = [nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU()) for _ in range(DEPTH)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


def main():
    """Train on random data, then print step time, total time and memory."""
    # Part 2: how many GPUs are there? Print it. Then put the model into nn.DataParallel.
    model = LargeModel().to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    training_start = time.time()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=device)
        y = torch.randn(BATCH_SIZE, DIM, device=device)
        # The GPU works on while Python goes ahead: wait for it before each look at the clock.
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        # Part 4: print the device and the shape of x here, before the forward pass. Once you have
        # seen that, print them in forward() above as well. What is different there?
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    total = time.time() - training_start
    print(f"Average step time: {sum(times[WARM_UP:]) / len(times[WARM_UP:]):.4f} s")
    print(f"Total training time: {total:.4f} s")
    # Part 2: the memory of every GPU, not only of the first.
    print(f"GPU 0 memory: {torch.cuda.max_memory_allocated(0) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
