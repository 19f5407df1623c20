"""Two ranks, each with one model over two GPUs of its own; gradients are all-reduced by hand.

Usage: torchrun --nproc_per_node=2 hybrid.py. Three steps; then rank 0 sends rank 1 a tensor.
"""

import os

import torch
import torch.distributed as dist
from torch import nn

STEPS = 3


class Halves(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second
        self.encoder, self.decoder = nn.Linear(4, 6).to(first), nn.Linear(6, 2).to(second)

    def forward(self, x):
        hidden = torch.relu(self.encoder(x))
        return self.decoder(hidden.to(self.second))


def main():
    torch.set_num_threads(1)
    rank = int(os.environ["LOCAL_RANK"])
    torch.manual_seed(rank)
    first, second = torch.device("cuda", 2 * rank), torch.device("cuda", 2 * rank + 1)
    torch.cuda.set_device(first)
    dist.init_process_group("nccl", device_id=first)
    model = Halves(first, second)
    for p in model.parameters():
        dist.broadcast(p.data, 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(STEPS):
        x, y = torch.randn(8, 4, device=first), torch.randn(8, 2, device=second)
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        for p in model.parameters():
            dist.all_reduce(p.grad, op=dist.ReduceOp.AVG)
        optimizer.step()
    note = torch.full((10,), float(rank), device=first)
    if rank == 0:
        dist.send(note, 1)
    else:
        dist.recv(note, 0)
    assert note.tolist() == [0.0] * 10
    checks = [None, None]
    dist.all_gather_object(checks, [p.tolist() for p in model.parameters()])
    assert checks[0] == checks[1]
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
