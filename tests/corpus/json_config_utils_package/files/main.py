import json
from pathlib import Path

import torch
from torch import nn, optim

from utils import StepTimer, describe, gpu_of_each_layer, peak_memory_mb

cfg = json.loads((Path(__file__).resolve().parent / "config.json").read_text())


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.owner = gpu_of_each_layer(depth)
        self.layers = nn.ModuleList(
            [nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{g}")
             for g in self.owner]
        )

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(cfg["dim"], cfg["depth"])
    print(f"depth {cfg['depth']}: {describe(model.owner)}")
    opt = optim.SGD(model.parameters(), lr=cfg["lr"])
    criterion = nn.MSELoss()
    timer = StepTimer(cfg["warmup"])

    for step in range(cfg["steps"]):
        batch = torch.randn(cfg["batch_size"], cfg["dim"])
        target = torch.randn(cfg["batch_size"], cfg["dim"], device=f"cuda:{model.owner[-1]}")
        with timer:
            opt.zero_grad(set_to_none=True)
            loss = criterion(model(batch), target)
            loss.backward()
            opt.step()
        if step % 10 == 0:
            print(f"  step {step:3d} loss {loss.item():.5f}")

    print(f"step time {timer.mean_ms:.2f} ms")
    for g, mb in enumerate(peak_memory_mb()):
        print(f"cuda:{g} {mb:.0f} MB")


if __name__ == "__main__":
    main()
