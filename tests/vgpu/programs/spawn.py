"""Two processes by mp.spawn: DDP with a checkpoint that rank 0 writes and all ranks read.

Usage: spawn.py FOLDER. Rank r saves its parameters as FOLDER/r.pt.
"""

import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel as DDP

WORLD = 2


class ToyModel(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net1, self.relu, self.net2 = nn.Linear(10, 10), nn.ReLU(), nn.Linear(10, 5)

    def forward(self, x):
        return self.net2(self.relu(self.net1(x)))


def demo_checkpoint(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group(
        "nccl",
        init_method=f"file://{folder}/rendezvous",
        rank=rank,
        world_size=WORLD,
        timeout=timedelta(seconds=30),
    )
    here = torch.device("cuda", rank)
    torch.cuda.set_device(here)
    model = DDP(ToyModel().to(here), device_ids=[rank])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    path = Path(folder, "checkpoint.pt")
    train(model, optimizer, here, rank)
    if rank == 0:
        torch.save(model.state_dict(), path)
    dist.barrier()
    for p in model.parameters():
        nn.init.zeros_(p)
    place = {"cuda:0": f"cuda:{rank}"}
    model.load_state_dict(torch.load(path, map_location=place, weights_only=True))
    train(model, optimizer, here, rank)
    dist.barrier()
    torch.save([p.detach().cpu() for p in model.parameters()], Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


def train(model, optimizer, here, rank):
    torch.manual_seed(10 + rank)
    for _ in range(3):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(
            model(torch.randn(20, 10).to(here)), torch.ones(20, 5, device=here)
        )
        loss.backward()
        optimizer.step()


if __name__ == "__main__":
    mp.spawn(demo_checkpoint, args=(sys.argv[1],), nprocs=WORLD, join=True)
