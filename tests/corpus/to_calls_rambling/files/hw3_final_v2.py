import os
import time
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import torch
import torch.nn as nn
import torch.optim as optim
from tqdm import tqdm

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
DEPTHS_FOR_TASK2 = [6, 12, 24]
GPUS_FOR_TASK4 = [2, 5]


class LargeLinearModelMP(nn.Module):

    def __init__(self, dim, depth, gpus=None):
        super().__init__()
        if gpus is None:
            gpus = torch.cuda.device_count()   # all there are
        self.gpus = gpus
        self.to_calls = 0

        self.layers = nn.ModuleList()
        chunk = depth / gpus                   # may be a fraction, that is ok
        for i in range(depth):
            which = int(i / chunk)
            layer = nn.Sequential(
                nn.Linear(dim, dim),
                nn.ReLU(),
            ).to("cuda:%d" % which)
            self.layers.append(layer)

    def forward(self, x):
        self.to_calls = 0
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            self.to_calls += 1                 # task 5
            x = layer(x)
        return x


def measure(depth, gpus=None):
    """trains a fresh model for STEPS steps and returns a row for the table"""
    torch.cuda.empty_cache()
    for g in range(torch.cuda.device_count()):
        torch.cuda.reset_peak_memory_stats(g)
    model = LargeLinearModelMP(DIM, depth, gpus)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    last = "cuda:%d" % (model.gpus - 1)
    times = []
    for step in tqdm(range(STEPS), desc="depth %d, %d GPUs" % (depth, model.gpus)):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(last)
        for g in range(model.gpus):
            torch.cuda.synchronize(g)
        t = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        for g in range(model.gpus):
            torch.cuda.synchronize(g)
        times.append(time.time() - t)
    good = times[5:]
    return {
        "depth": depth,
        "gpus": model.gpus,
        "step_ms": 1000 * sum(good) / len(good),
        "mem_mb": max(torch.cuda.max_memory_allocated(g) for g in range(model.gpus)) / 1024 ** 2,
        "to_calls": model.to_calls,
    }


def main():
    rows = []
    for depth in DEPTHS_FOR_TASK2:
        rows.append(measure(depth, min(2, torch.cuda.device_count())))
    for gpus in GPUS_FOR_TASK4:
        if gpus <= torch.cuda.device_count():
            rows.append(measure(DEPTH, gpus))

    df = pd.DataFrame(rows)
    print(df.to_string(index=False))
    df.to_csv("results.csv", index=False)

    # plots
    fig, ax = plt.subplots(1, 2, figsize=(9, 3.5))
    d = df[df.depth.isin(DEPTHS_FOR_TASK2)]
    ax[0].plot(d.depth, d.step_ms, "o-")
    ax[0].set_xlabel("DEPTH")
    ax[0].set_ylabel("step time, ms")
    d = df[df.depth == DEPTH]
    ax[1].bar(d.gpus.astype(str), d.mem_mb)
    ax[1].set_xlabel("GPUs")
    ax[1].set_ylabel("memory of one GPU, MB")
    plt.tight_layout()
    os.makedirs("plots", exist_ok=True)
    plt.savefig("plots/results.png", dpi=110)


if __name__ == "__main__":
    main()
