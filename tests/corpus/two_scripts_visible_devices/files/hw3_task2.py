import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTHS = [6, 12, 24]      # was: DEPTH = 6
BATCH_SIZE = 64
STEPS = 20

device0 = torch.device("cuda:0")
device1 = torch.device("cuda:1")


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            if i < depth // 2:
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device0)
            else:
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device1)
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main(depth):
    model = LargeLinearModelMP(DIM, depth)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(device0)
        y = torch.randn(BATCH_SIZE, DIM).to(device1)
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
    print(f"DEPTH {depth}: average step time {sum(times[5:]) / len(times[5:]):.4f} s")
    for i in range(2):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    for depth in DEPTHS:
        main(depth)
