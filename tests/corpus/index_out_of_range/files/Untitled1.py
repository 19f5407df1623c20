import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

n = torch.cuda.device_count()
device0 = torch.device("cuda:0")
device_last = torch.device("cuda:" + str(n-1))

class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        n = torch.cuda.device_count()
        k = depth // n
        for i in range(depth):
            gpu = i // k
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to("cuda:" + str(gpu))
            self.layers.append(layer)

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
        x = torch.randn(BATCH_SIZE, DIM).to(device0)
        y = torch.randn(BATCH_SIZE, DIM).to(device_last)
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
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    mem = 0
    for i in range(n):
        mem = mem + torch.cuda.max_memory_allocated(i) / 1024**2
    print("memory all gpus", mem)


if __name__ == "__main__":
    main()
