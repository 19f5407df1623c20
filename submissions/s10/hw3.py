from __future__ import annotations

import time

import torch
import torch.nn as nn
import torch.optim as optim

DIM: int = 4096
DEPTH: int = 20
BATCH_SIZE: int = 64
STEPS: int = 20
LR: float = 0.01


class LargeLinearModelMP(nn.Module):
    """Linear layers distributed over `num_gpus` devices."""

    def __init__(self, dim: int, depth: int, num_gpus: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            device = torch.device("cuda", self._gpu_for_layer(i, depth, num_gpus))
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

    @staticmethod
    def _gpu_for_layer(i: int, depth: int, num_gpus: int) -> int:
        return i * num_gpus // depth

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer(x.to(next(layer.parameters()).device))
        return x


def main() -> None:
    model = LargeLinearModelMP(DIM, DEPTH, torch.cuda.device_count())
    optimizer = optim.SGD(model.parameters(), lr=LR)
    criterion = nn.MSELoss()
    durations: list[float] = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device="cuda:0")
        torch.cuda.synchronize()
        begin = time.perf_counter()
        optimizer.zero_grad()
        output = model(x)
        loss = criterion(output, torch.zeros_like(output))
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        durations.append(time.perf_counter() - begin)
        print(f"[{step:02d}] loss={loss.item():.6f} t={durations[-1]:.4f}s")
    print(f"mean: {sum(durations[5:]) / len(durations[5:]):.4f}s")


if __name__ == "__main__":
    main()
