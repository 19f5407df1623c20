import torch
import torch.distributed as dist

NUMBERS = 12  # of each rank; keep this name, for it is tried with others


def ring_all_reduce(rank, world, tensor):
    """Make the tensor of every rank the sum of all."""
    # Task 1: use dist.send and dist.recv, or dist.isend and dist.irecv, and nothing else.


if __name__ == "__main__":
    dist.init_process_group("nccl")
    rank, world = dist.get_rank(), dist.get_world_size()
    torch.cuda.set_device(rank)
    tensor = torch.arange(NUMBERS, dtype=torch.float32, device="cuda") + 100 * rank
    ring_all_reduce(rank, world, tensor)
    print(f"rank {rank}: {tensor.tolist()}")
    dist.destroy_process_group()
