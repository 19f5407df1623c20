"""Hybrid parallelism: data parallel (DP) and model parallel (MP), with micro-batches.

    torchrun --nproc_per_node=2 python/sample.py

Every rank has a copy of the model, split over two GPUs of its own, and a batch of its own.
"""

import os

import torch
import torch.distributed as dist
from torch import nn

MICRO_BATCHES = 4
BATCH_SIZE = 64
ITERATIONS = 2
DIM = 512


class HybridModel(nn.Module):
    """The first half of the layers is on device0, the second on device1."""

    def __init__(self, device0, device1):
        super().__init__()
        self.device0, self.device1 = device0, device1
        self.first = nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU()).to(device0)
        self.second = nn.Sequential(nn.Linear(DIM, DIM), nn.ReLU(), nn.Linear(DIM, 1)).to(device1)

    def forward(self, x):
        hidden = self.first(x.to(self.device0))
        return self.second(hidden.to(self.device1))


def synchronize_gradients(model, world_size):
    """Every rank gets the mean of all ranks' gradients."""
    for parameter in model.parameters():
        dist.all_reduce(parameter.grad, op=dist.ReduceOp.SUM)
        parameter.grad /= world_size


def main():
    dist.init_process_group(backend="nccl")
    rank, world_size = dist.get_rank(), dist.get_world_size()
    local_rank = int(os.environ["LOCAL_RANK"])
    device0 = torch.device(f"cuda:{local_rank}")
    device1 = torch.device(f"cuda:{local_rank}")
    torch.cuda.set_device(device0)
    print(f"[Rank {rank}] {world_size} processes; mine uses {device0} and {device1}")

    torch.manual_seed(0)  # the same model on every rank
    model = HybridModel(device0, device1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    torch.manual_seed(1 + rank)  # other data on every rank

    for iteration in range(ITERATIONS):
        inputs, targets = torch.randn(BATCH_SIZE, DIM), torch.randn(BATCH_SIZE, 1)
        micro_batches = zip(inputs.chunk(MICRO_BATCHES), targets.chunk(MICRO_BATCHES))
        optimizer.zero_grad()
        for number, (x, y) in enumerate(micro_batches):
            output = model(x)
            print(f"[Rank {rank}] Micro-batch {number}: forward, {len(x)} samples")
            loss = loss_fn(output, y.to(output.device)) / MICRO_BATCHES
            loss.backward()
            print(f"[Rank {rank}] Micro-batch {number}: backward, loss {loss.item():.4f}")
        synchronize_gradients(model, world_size)
        print(f"[Rank {rank}] Gradients synchronized")
        optimizer.step()
        print(f"[Rank {rank}] Iteration {iteration} done")

    dist.destroy_process_group()


if __name__ == "__main__":
    main()
