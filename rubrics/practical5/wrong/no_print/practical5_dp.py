import time

import torch
from torch import nn, optim

DIM = 256
DEPTH = 4
BATCH_SIZE = 64
STEPS = 10
WARM_UP = 5

device = torch.device("cuda:0")


class LargeModel(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU()) for _ in range(DEPTH)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        return self.layers(x)


def main():
    print("Number of GPUs:", torch.cuda.device_count())
    model = nn.DataParallel(LargeModel().to(device))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    training_start = time.time()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=device)
        y = torch.randn(BATCH_SIZE, DIM, device=device)
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
    total = time.time() - training_start
    print(f"Average step time: {sum(times[WARM_UP:]) / len(times[WARM_UP:]):.4f} s")
    print(f"Total training time: {total:.4f} s")
    for i in range(torch.cuda.device_count()):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
