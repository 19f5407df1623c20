from dataclasses import dataclass

import torch
import torch.nn as nn


@dataclass
class Config:
    dim: int = 4096
    depth: int = 20
    batch_size: int = 64
    steps: int = 20
    lr: float = 0.01


class LargeLinearModelMP(nn.Module):
    def __init__(self, cfg: Config):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(cfg.depth):
            layer = nn.Sequential(nn.Linear(cfg.dim, cfg.dim), nn.ReLU())
            self.layers.append(layer.to(f"cuda:{i * num_gpus // cfg.depth}"))

    def forward(self, x):
        for layer in self.layers:
            x = x.to(next(layer.parameters()).device)
            x = layer(x)
        return x


def main(cfg=Config()):
    model = LargeLinearModelMP(cfg)
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr)
    loss_fn = nn.MSELoss()
    for step in range(cfg.steps):
        x = torch.randn(cfg.batch_size, cfg.dim, device="cuda:0")
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, torch.randn(cfg.batch_size, cfg.dim, device=output.device))
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
