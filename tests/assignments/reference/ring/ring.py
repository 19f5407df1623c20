"""The sum of a tensor over all ranks, sent around a ring in chunks."""

import torch
import torch.distributed as dist

NUMBERS = 12  # of each rank


def ring_all_reduce(rank, world, tensor):
    """Make the tensor of every rank the sum of all."""
    chunks = tensor.tensor_split(world)
    for step in range(world - 1):  # then chunk rank + 1 is the sum
        came = pass_on(rank, world, chunks, rank - step)
        chunks[(rank - step - 1) % world].add_(came)
    for step in range(world - 1):
        came = pass_on(rank, world, chunks, rank + 1 - step)
        chunks[(rank - step) % world].copy_(came)


def pass_on(rank, world, chunks, number):
    """Send a chunk to the next rank; the chunk of the number before comes from the last."""
    sending = dist.isend(chunks[number % world].clone(), (rank + 1) % world)
    came = torch.empty_like(chunks[(number - 1) % world])
    dist.recv(came, (rank - 1) % world)
    sending.wait()
    return came


if __name__ == "__main__":
    dist.init_process_group("nccl")
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.cuda.set_device(rank)
    tensor = torch.arange(NUMBERS, dtype=torch.float32, device="cuda") + 100 * rank
    ring_all_reduce(rank, world, tensor)
    print(f"rank {rank}: {tensor.tolist()}")
    dist.destroy_process_group()
