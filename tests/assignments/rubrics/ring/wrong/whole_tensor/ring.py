"""The sum of a tensor over all ranks, sent around a ring in chunks."""

import torch
import torch.distributed as dist

NUMBERS = 12  # of each rank


def ring_all_reduce(rank, world, tensor):
    """Make the tensor of every rank the sum of all."""
    passing = tensor.clone()
    for _ in range(world - 1):
        sending = dist.isend(passing, (rank + 1) % world)
        came = torch.empty_like(passing)
        dist.recv(came, (rank - 1) % world)
        sending.wait()
        tensor += came
        passing = came


if __name__ == "__main__":
    dist.init_process_group("nccl")
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.cuda.set_device(rank)
    tensor = torch.arange(NUMBERS, dtype=torch.float32, device="cuda") + 100 * rank
    ring_all_reduce(rank, world, tensor)
    print(f"rank {rank}: {tensor.tolist()}")
    dist.destroy_process_group()
