import os
import torch
import torch.nn as nn
import torch.distributed as dist

MICRO_BATCHES = 4
BATCH_SIZE = 64

dist.init_process_group("nccl")
local_rank = int(os.environ["LOCAL_RANK"])
world_size = dist.get_world_size()

device0 = torch.device(f"cuda:{local_rank}")
device1 = torch.device(f"cuda:{local_rank + 2}")

torch.manual_seed(0)
part1 = nn.Sequential(nn.Linear(32, 64), nn.ReLU()).to(device0)
part2 = nn.Linear(64, 10).to(device1)
params = list(part1.parameters()) + list(part2.parameters())
optimizer = torch.optim.SGD(params, lr=0.01)
loss_fn = nn.CrossEntropyLoss()
print(f"[Rank {local_rank}] using {device0} and {device1}")

torch.manual_seed(100 + local_rank)
for epoch in range(2):
    inputs = torch.randn(BATCH_SIZE, 32)
    labels = torch.randint(0, 10, (BATCH_SIZE,))
    optimizer.zero_grad()
    for i, (x, y) in enumerate(zip(inputs.chunk(MICRO_BATCHES), labels.chunk(MICRO_BATCHES))):
        print(f"[Rank {local_rank}] forward micro-batch {i}")
        hidden = part1(x.to(device0)).to(device1)
        loss = loss_fn(part2(hidden), y.to(device1)) / MICRO_BATCHES
        print(f"[Rank {local_rank}] backward micro-batch {i}")
        loss.backward()
    for p in params:
        dist.all_reduce(p.grad)
        p.grad /= world_size
    optimizer.step()
    print(f"[Rank {local_rank}] epoch {epoch} loss {loss.item() * MICRO_BATCHES:.4f}")

dist.destroy_process_group()
