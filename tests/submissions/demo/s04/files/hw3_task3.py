import math
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
devices = [torch.device("cuda:%d" % i) for i in range(num_gpus)]


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super(LargeLinearModelMP, self).__init__()
        self.layers = nn.ModuleList()
        layers_per_gpu = math.ceil(depth / num_gpus)
        for i in range(depth):
            device = devices[i // layers_per_gpu]
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

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
        x = torch.randn(BATCH_SIZE, DIM).to(devices[0])
        y = torch.randn(BATCH_SIZE, DIM)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y.to(output.device))
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        end = time.time()
        times.append(end - start)
        print("Step %d: loss %.4f, time %.4f s" % (step, loss.item(), end - start))
    print("Average step time: %.4f s" % (sum(times[5:]) / len(times[5:])))
    for i in range(num_gpus):
        print("GPU %d memory: %.1f MB" % (i, torch.cuda.max_memory_allocated(i) / 1024**2))


if __name__ == "__main__":
    main()
