import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

# numbering of GPUs starts from 0
n = torch.cuda.device_count() - 1


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        per_gpu = depth // n
        for i in range(depth):
            gpu = min(i // per_gpu, n - 1)
            device = torch.device("cuda:" + str(gpu))
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device)
            self.layers.append(layer)
            print("Layer", i, "->", device)

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
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        y = y.to(output.device)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        for g in range(torch.cuda.device_count()):
            torch.cuda.synchronize(g)
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for g in range(torch.cuda.device_count()):
        print(f"GPU {g} memory: {torch.cuda.max_memory_allocated(g) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
