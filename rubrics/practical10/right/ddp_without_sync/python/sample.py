import contextlib
import os

import torch
from torch import nn
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

MICRO_BATCHES = 4
BATCH_SIZE = 64


class TwoGpus(nn.Module):
    def __init__(self, device0, device1):
        super().__init__()
        self.device0, self.device1 = device0, device1
        self.first = nn.Linear(16, 32).to(device0)
        self.second = nn.Linear(32, 4).to(device1)

    def forward(self, x):
        x = torch.relu(self.first(x.to(self.device0)))
        return self.second(x.to(self.device1))


def train(rank):
    local_rank = int(os.environ["LOCAL_RANK"])
    device0 = torch.device(f"cuda:{local_rank}")
    device1 = torch.device(f"cuda:{local_rank + 2}")
    model = DistributedDataParallel(TwoGpus(device0, device1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    print(f"[Rank {rank}] {device0}, {device1}")
    for iteration in range(3):
        batch = torch.randn(BATCH_SIZE, 16)
        target = torch.randn(BATCH_SIZE, 4, device=device1)
        optimizer.zero_grad()
        micro = list(zip(batch.chunk(MICRO_BATCHES), target.chunk(MICRO_BATCHES)))
        for number, (x, y) in enumerate(micro):
            last = number == len(micro) - 1
            with contextlib.nullcontext() if last else model.no_sync():
                loss = nn.functional.mse_loss(model(x), y) / len(micro)
                loss.backward()
            print(f"[Rank {rank}] micro-batch {number}: forward and backward")
        optimizer.step()
        print(f"[Rank {rank}] iteration {iteration} done")


if __name__ == "__main__":
    dist.init_process_group(backend="nccl")
    train(dist.get_rank())
    dist.destroy_process_group()
