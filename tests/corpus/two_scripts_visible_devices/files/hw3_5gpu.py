import os
os.environ["CUDA_VISIBLE_DEVICES"] = "0,1,2,3,4"   # has to be set before torch is imported

import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

num_gpus = torch.cuda.device_count()


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        self.num_gpus = torch.cuda.device_count()

        gpu, filled = 0, 0
        for i in range(depth):
            quota = depth // self.num_gpus + (1 if gpu < depth % self.num_gpus else 0)
            if filled == quota:          # this GPU is full, go to the next one
                gpu, filled = gpu + 1, 0
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(torch.device("cuda", gpu))
            self.layers.append(layer)
            filled += 1

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    for idx, layer in enumerate(model.layers):
        print(f"Layer {idx:>2}: {next(layer.parameters()).device}")

    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{num_gpus - 1}")
        for g in range(num_gpus):
            torch.cuda.synchronize(g)
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        for g in range(num_gpus):
            torch.cuda.synchronize(g)
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for i in range(num_gpus):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
