"""y = x @ W with torch's own copies between GPUs: torch.cuda.comm."""

import torch
from torch.cuda import comm

ROWS = 4
INPUTS = 6
OUTPUTS = 16

gpus = torch.cuda.device_count()
x = torch.arange(ROWS * INPUTS, dtype=torch.float32).reshape(ROWS, INPUTS).cuda()
weight = torch.arange(INPUTS * OUTPUTS, dtype=torch.float32).reshape(INPUTS, OUTPUTS)
blocks = [block.to(gpu) for gpu, block in enumerate(weight.tensor_split(gpus, dim=1))]
for block in blocks:
    print(list(block.shape), "on", block.device)
parts = [own @ block for own, block in zip(comm.broadcast(x, range(gpus)), blocks, strict=True)]
y = comm.gather(parts, dim=1, destination=0)
print("output:", list(y.shape))
print(y.cpu().numpy())
