"""Practical 4: data and model parallelism, simulated. Part 1 is here; 2 and 3 are yours.

Run it with `vgpu -n 0`, `vgpu -n 1` and `vgpu -n 2 practical4.py`, see what it earns with
`pytest .`, and read README.md for the rest.
"""

import torch
from torch import nn

BATCH = 64

# ---- Part 1: baseline. The whole model and the whole batch on one device.
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = nn.Sequential(
    nn.Linear(1000, 2000),
    nn.ReLU(),
    nn.Linear(2000, 1000),
).to(device)
x = torch.randn(BATCH, 1000).to(device)
output = model(x)
print("Output shape:", output.shape)

# ---- Part 2: simulated data parallelism. The same model, one chunk of the batch after the other.
# 1. Split x into 2 chunks: torch.chunk.
# 2. Print the shape of each chunk, call the model with it, and keep what it returns in a list.
# 3. Put the outputs together again: torch.cat. Are they what Part 1 computed? (torch.allclose)

# ---- Part 3: simulated model parallelism. One layer on each of two GPUs.
# 1. Ask how many GPUs there are: torch.cuda.device_count(). With fewer than 2, print a message.
# 2. Else: layer1 on cuda:0, layer2 on cuda:1, x on cuda:0.
# 3. Call layer1, move what it returns to cuda:1, call layer2, print the output's shape and device.
