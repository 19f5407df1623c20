"""Practical 4: a baseline, simulated data parallelism, simulated model parallelism."""

import torch
from torch import nn

BATCH = 64


def baseline(device):
    model = nn.Sequential(nn.Linear(1000, 2000), nn.ReLU(), nn.Linear(2000, 1000)).to(device)
    x = torch.randn(BATCH, 1000).to(device)
    output = model(x)
    print("Output shape:", output.shape)
    return model, x


def data_parallelism(model, x, count=2):
    outputs = []
    for i, chunk in enumerate(torch.chunk(x, count)):
        print(f"Processing chunk {i} with shape {chunk.shape}")
        outputs.append(model(chunk))
    final_output = torch.cat(outputs)
    print("Final output shape:", final_output.shape)


def model_parallelism():
    if torch.cuda.device_count() < 2:
        print("Model parallelism requires at least 2 GPUs.")
        return
    device0, device1 = torch.device("cuda:0"), torch.device("cuda:1")
    layer1 = nn.Linear(1000, 2000).to(device0)
    layer2 = nn.Linear(2000, 1000).to(device1)
    x = torch.randn(BATCH, 1000).to(device0)
    out = layer1(x).to(device1)  # the only move
    out = layer2(out)
    print("Output shape:", out.shape, "on", out.device)


if __name__ == "__main__":
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    data_parallelism(*baseline(where))
    model_parallelism()
