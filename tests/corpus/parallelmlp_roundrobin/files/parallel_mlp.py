from __future__ import annotations

import logging
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor, nn

logging.basicConfig(level=logging.INFO, format="%(asctime)s | %(levelname)s | %(message)s")
log = logging.getLogger("hw3")


@dataclass(frozen=True)
class Config:
    width: int = 4096
    n_layers: int = 20
    batch: int = 64
    n_steps: int = 20
    n_warmup: int = 5
    lr: float = 1e-2


def available_devices() -> list[torch.device]:
    """Every CUDA device PyTorch can see."""
    count = torch.cuda.device_count()
    if count == 0:
        raise RuntimeError("no CUDA device found")
    return [torch.device(f"cuda:{idx}") for idx in range(count)]


class ParallelMLP(nn.Module):
    """(Linear -> ReLU) x n_layers, dealt to the GPUs like a deck of cards."""

    def __init__(self, width: int, n_layers: int) -> None:
        super().__init__()
        self.gpus: list[torch.device] = available_devices()
        self.blocks = nn.ModuleList()
        for layer_idx in range(n_layers):
            gpu = self.gpus[layer_idx % len(self.gpus)]
            block = nn.Sequential(nn.Linear(width, width), nn.ReLU())
            self.blocks.append(block.to(gpu))

    def forward(self, inp: Tensor) -> Tensor:
        hidden = inp
        for block in self.blocks:
            target = next(block.parameters()).device
            hidden = hidden.to(target)
            hidden = block(hidden)
        return hidden

    def layout(self) -> list[str]:
        return [str(next(b.parameters()).device) for b in self.blocks]


def sync_everywhere(gpus: list[torch.device]) -> None:
    for gpu in gpus:
        torch.cuda.synchronize(gpu)


def train_step(model: ParallelMLP, optimizer: torch.optim.Optimizer, cfg: Config) -> float:
    batch = torch.randn(cfg.batch, cfg.width)
    target = torch.randn(cfg.batch, cfg.width)

    sync_everywhere(model.gpus)
    begin = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    prediction = model(batch)
    loss = nn.functional.mse_loss(prediction, target.to(prediction.device))
    loss.backward()
    optimizer.step()
    sync_everywhere(model.gpus)
    return time.perf_counter() - begin


def run(cfg: Config) -> None:
    model = ParallelMLP(cfg.width, cfg.n_layers)
    log.info("layout: %s", " ".join(model.layout()))
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr)

    timings = [train_step(model, optimizer, cfg) for _ in range(cfg.n_steps)]
    steady = timings[cfg.n_warmup:]
    log.info(
        "%d layers on %d GPU(s): %.2f ms per step (std %.2f)",
        cfg.n_layers, len(model.gpus),
        1000 * statistics.mean(steady), 1000 * statistics.stdev(steady),
    )
    for gpu in model.gpus:
        log.info("%s peak memory %.0f MB", gpu, torch.cuda.max_memory_allocated(gpu) / 1e6)


if __name__ == "__main__":
    run(Config())
