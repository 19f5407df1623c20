from typing import List

import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim: int, depth: int, devices: List[torch.device]):
        super().__init__()
        self.devices = devices
        self.layers = nn.ModuleList()
        for i in range(depth):
            device = devices[i * len(devices) // depth]
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = x.to(next(layer.parameters()).device)
            x = layer(x)
        return x


def main():
    devices = [torch.device(f"cuda:{i}") for i in range(torch.cuda.device_count())]
    model = LargeLinearModelMP(DIM, DEPTH, devices)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=devices[0])
        y = torch.randn(BATCH_SIZE, DIM, device=devices[-1])
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
