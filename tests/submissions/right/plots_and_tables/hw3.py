import time

import matplotlib.pyplot as plt
import pandas as pd
import torch
import torch.nn as nn
from tqdm import tqdm

DIM, DEPTH, BATCH, STEPS = 4096, 20, 64, 15


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        gpus = [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
        sizes = [len(part) for part in torch.arange(depth).tensor_split(len(gpus))]
        self.layers = nn.ModuleList()
        for gpu, size in tqdm(zip(gpus, sizes), total=len(gpus), desc="building"):
            for _ in range(size):
                self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(gpu))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x.to(next(layer.parameters()).device))
        return x


def measure(depth):
    model = LargeLinearModelMP(DIM, depth)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x = torch.randn(BATCH, DIM, device="cuda:0")
    times = []
    for _ in tqdm(range(STEPS)):
        torch.cuda.synchronize()
        start = time.perf_counter()
        optimizer.zero_grad()
        out = model(x)
        loss = nn.functional.mse_loss(out, torch.zeros_like(out))
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sum(times[5:]) / len(times[5:])


if __name__ == "__main__":
    table = pd.DataFrame({"DEPTH": [6, 12, 24], "s": [measure(d) for d in (6, 12, 24)]})
    print(table.to_string(index=False))
    fig, ax = plt.subplots(figsize=(6, 4))
    ax.plot(table["DEPTH"], table["s"], marker="o")
    fig.savefig("times.png")
    print(measure(DEPTH))
