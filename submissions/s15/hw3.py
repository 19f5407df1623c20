import sys
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
        self.num_gpus = torch.cuda.device_count()
        if self.num_gpus < 2:
            raise RuntimeError("This model needs at least 2 GPUs!")
        self.layers = nn.ModuleList()

        # boundaries[k] is the first layer of GPU k
        boundaries = [round(k * depth / self.num_gpus) for k in range(self.num_gpus + 1)]
        for k in range(self.num_gpus):
            for i in range(boundaries[k], boundaries[k + 1]):
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
                self.layers.append(layer.to(torch.device("cuda", k)))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    depth = int(sys.argv[1]) if len(sys.argv) > 1 else DEPTH
    model = LargeLinearModelMP(DIM, depth)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{model.num_gpus - 1}")
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
