import math
import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        per = math.ceil(depth / n)
        self.layers = nn.ModuleList()
        for i in range(depth):
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
            layer = layer.to("cuda:" + str(i // per))
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x

def test(depth):
    model = LargeLinearModelMP(DIM, depth)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(next(model.layers[-1].parameters()).device)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        end = time.time()
        times.append(end - start)
    return sum(times[5:]) / len(times[5:])

if __name__ == "__main__":
    n = torch.cuda.device_count()
    t = test(DEPTH)
    print("gpus", n, "depth", DEPTH, "time %.5f" % t)
    for i in range(n):
        print("gpu", i, "mem %.1f MB" % (torch.cuda.max_memory_allocated(i) / 1024**2))
