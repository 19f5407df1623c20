import os
os.environ["CUDA_VISIBLE_DEVICES"] = "0,1,2,3,4"   # for the 2 GPU run I changed it to "0,1"

import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
BATCH_SIZE = 64
STEPS = 20

answer = input("DEPTH (empty = 20): ")
if answer.strip() == "":
    DEPTH = 20
else:
    DEPTH = int(answer)

N_GPU = torch.cuda.device_count()
first_dev = torch.device("cuda:0")


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            dev = "cuda:%d" % (i * n // depth)
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(dev))
            print("layer %d on %s" % (i, dev))
        self.last = dev

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(first_dev)
        y = torch.randn(BATCH_SIZE, DIM).to(model.last)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        for g in range(N_GPU):
            torch.cuda.synchronize(g)
        end = time.time()
        times.append(end - start)
    print("Average step time: %.4f s" % (sum(times[5:]) / len(times[5:])))
    for g in range(N_GPU):
        print("GPU %d memory: %.1f MB" % (g, torch.cuda.max_memory_allocated(g) / 1024**2))


main()
