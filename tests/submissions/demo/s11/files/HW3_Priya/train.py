import os
import time

os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"   # "0,1,2,3,4" for the run with 5 GPUs

import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 8192
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

NUM_GPUS = torch.cuda.device_count()


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            device = f"cuda:{i * NUM_GPUS // depth}"
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

    def forward(self, x):
        for layer in self.layers:
            x = x.to(next(layer.parameters()).device)
            x = layer(x)
        return x


model = LargeLinearModelMP(DIM, DEPTH)
for name, p in model.named_parameters():
    print(name, p.device)

optimizer = optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
times = []
for step in range(STEPS):
    x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
    y = torch.randn(BATCH_SIZE, DIM).to("cuda:%d" % (NUM_GPUS - 1))
    torch.cuda.synchronize()
    start = time.time()
    optimizer.zero_grad()
    output = model(x)
    loss = loss_fn(output, y)
    loss.backward()
    optimizer.step()
    torch.cuda.synchronize()
    times.append(time.time() - start)
    print("Step", step, "loss", round(loss.item(), 4), "time", round(times[-1], 4))

print("Average step time:", sum(times[5:]) / len(times[5:]))
for i in range(NUM_GPUS):
    print("GPU", i, "memory:", torch.cuda.max_memory_allocated(i) / 1024**2, "MB")
