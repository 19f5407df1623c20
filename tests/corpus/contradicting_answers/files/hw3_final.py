import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


def split_sizes(depth, n):
    """How many layers each of the n GPUs gets, e.g. (7, 3) -> [2, 2, 3]"""
    sizes = [depth // n] * n
    for k in range(depth % n):
        sizes[-1 - k] += 1
    return sizes


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        self.gpus = torch.cuda.device_count()
        for gpu, size in enumerate(split_sizes(depth, self.gpus)):
            for _ in range(size):
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{gpu}")
                self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    n = torch.cuda.device_count()
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device="cuda:0")
        y = torch.randn(BATCH_SIZE, DIM, device=f"cuda:{n - 1}")
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
    for i in range(n):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
