import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

transfers = 0


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        # tensor_split cuts 0..depth-1 into n consecutive, nearly equal pieces
        for gpu, piece in enumerate(torch.arange(depth).tensor_split(n)):
            for i in piece.tolist():
                layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
                self.layers.append(layer.to(f"cuda:{gpu}"))

    def forward(self, x):
        global transfers
        transfers = 0
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            if x.device != layer_device:
                transfers += 1
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    n = torch.cuda.device_count()
    for i, layer in enumerate(model.layers):
        print("layer", i, next(layer.parameters()).device)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{n - 1}")
        torch.cuda.synchronize(0)
        torch.cuda.synchronize(n - 1)
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        for g in range(n):
            torch.cuda.synchronize(g)
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"Average step time: {sum(times) / len(times):.4f} s")
    print(f"Transfers in one forward: {transfers}")
    for g in range(n):
        print(f"GPU {g} memory: {torch.cuda.max_memory_allocated(g) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
