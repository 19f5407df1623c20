import os
import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration (can be overridden: DEPTH=12 python large_linear_mp.py)
DIM = 4096
DEPTH = int(os.environ.get("DEPTH", 20))
BATCH_SIZE = 64
STEPS = 25


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n_gpu = torch.cuda.device_count()
        q, r = divmod(depth, n_gpu)
        cut = r * (q + 1)              # layers before `cut` sit in the bigger groups
        self.layers = nn.ModuleList()
        for i in range(depth):
            if i < cut:
                gpu = i // (q + 1)
            else:
                gpu = r + (i - cut) // q
            self.layers.append(
                nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{gpu}")
            )

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    torch.manual_seed(0)
    model = LargeLinearModelMP(DIM, DEPTH)
    for i, layer in enumerate(model.layers):
        print(i, layer[0].weight.device)

    in_dev = model.layers[0][0].weight.device
    out_dev = model.layers[-1][0].weight.device
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()

    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(in_dev)
        y = torch.randn(BATCH_SIZE, DIM).to(out_dev)
        [torch.cuda.synchronize(d) for d in range(torch.cuda.device_count())]
        start = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        [torch.cuda.synchronize(d) for d in range(torch.cuda.device_count())]
        times.append(time.time() - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {times[-1]:.4f} s")

    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for i in range(torch.cuda.device_count()):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
