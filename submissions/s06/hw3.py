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
        num_gpus = torch.cuda.device_count()
        # round robin: 0 1 2 3 4 0 1 2 3 4 ...
        self.layers = nn.ModuleList(
            [
                nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{i % num_gpus}")
                for i in range(depth)
            ]
        )

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def count_transfers(model):
    gpus = [next(layer.parameters()).device.index for layer in model.layers]
    return sum(1 for a, b in zip(gpus, gpus[1:]) if a != b)


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    print("transfers in one forward:", count_transfers(model))
    last_device = next(model.layers[-1].parameters()).device
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(last_device)
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
    for i in range(torch.cuda.device_count()):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
