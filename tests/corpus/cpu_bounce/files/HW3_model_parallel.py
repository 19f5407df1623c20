import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 25

n_gpus = torch.cuda.device_count()
gpus = [torch.device(f"cuda:{g}") for g in range(n_gpus)]


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        layers_per_gpu = max(1, depth // num_gpus)
        self.layers = nn.ModuleList()
        for i in range(depth):
            gpu = min(i // layers_per_gpu, num_gpus - 1)
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(gpus[gpu])
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            if x.device != layer_device:
                # Direct cuda:i -> cuda:j copies gave me garbage (zeros) on this
                # machine - known P2P/IOMMU problem - so go through host memory.
                x = x.cpu()
                x = x.to(layer_device)
            x = layer(x)
        return x


def sync():
    for g in gpus:
        torch.cuda.synchronize(g)


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()

    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(gpus[0])
        y = torch.randn(BATCH_SIZE, DIM)

        sync()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y.to(output.device))
        loss.backward()
        optimizer.step()
        sync()
        times.append(time.time() - start)

    times = sorted(times[5:])
    print(f"{n_gpus} GPUs, depth {DEPTH}: median step {times[len(times) // 2] * 1000:.1f} ms")
    for g in range(n_gpus):
        mem = torch.cuda.max_memory_allocated(g) / 1024 ** 2
        print(f"  cuda:{g}: {mem:.1f} MB")


if __name__ == "__main__":
    main()
