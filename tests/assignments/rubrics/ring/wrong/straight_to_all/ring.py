"""The sum of a tensor over all ranks, sent around a ring in chunks."""

import torch
import torch.distributed as dist

NUMBERS = 12  # of each rank


def ring_all_reduce(rank, world, tensor):
    """Make the tensor of every rank the sum of all."""
    chunks = tensor.tensor_split(world)
    others = [other for other in range(world) if other != rank]
    sending = [dist.isend(chunks[other].clone(), other) for other in others]
    for other in others:
        came = torch.empty_like(chunks[rank])
        dist.recv(came, other)
        chunks[rank].add_(came)
    sending += [dist.isend(chunks[rank].clone(), other) for other in others]
    for other in others:
        dist.recv(chunks[other], other)
    for one in sending:
        one.wait()


if __name__ == "__main__":
    dist.init_process_group("nccl")
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.cuda.set_device(rank)
    tensor = torch.arange(NUMBERS, dtype=torch.float32, device="cuda") + 100 * rank
    ring_all_reduce(rank, world, tensor)
    print(f"rank {rank}: {tensor.tolist()}")
    dist.destroy_process_group()
