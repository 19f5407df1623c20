import time

import torch
import torch.nn as nn
import torch.optim as optim

# ---- settings -------------------------------------------------------------
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
# ---------------------------------------------------------------------------


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        self.layer_devices = []
        chunks = torch.arange(depth).tensor_split(self.num_gpus)
        for gpu, chunk in enumerate(chunks):
            device = torch.device(f"cuda:{gpu}")
            for _ in chunk.tolist():
                self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))
                self.layer_devices.append(device)

    def forward(self, x):
        # run a layer, then hand the result over if the next layer lives elsewhere
        for i in range(len(self.layers) - 1):
            x = self.layers[i](x)
            next_device = self.layer_devices[i + 1]
            if next_device != self.layer_devices[i]:
                x = x.to(next_device)
        return x


def synchronize():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    in_device = model.layer_devices[0]
    out_device = model.layer_devices[-1]
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(in_device)
        y = torch.randn(BATCH_SIZE, DIM).to(out_device)
        synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        synchronize()
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"{model.num_gpus} GPUs, depth {DEPTH}")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for g in range(model.num_gpus):
        print(f"GPU {g} memory: {torch.cuda.max_memory_allocated(g) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
