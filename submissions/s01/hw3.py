import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        # mitu GPU-d on? (how many GPUs are there?)
        self.num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            # layer i -> GPU: 0..depth-1 is scaled down to 0..num_gpus-1
            gpu_id = (i * self.num_gpus) // depth
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{gpu_id}")
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    first = torch.device("cuda:0")
    last = next(model.layers[-1].parameters()).device
    for i, layer in enumerate(model.layers):
        print(f"layer {i}: {next(layer.parameters()).device}")

    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(first)
        y = torch.randn(BATCH_SIZE, DIM).to(last)
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
    for i in range(model.num_gpus):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
