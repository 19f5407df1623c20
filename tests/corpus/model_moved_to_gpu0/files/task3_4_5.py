import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

num_gpus = torch.cuda.device_count()
print("Found GPUs:", num_gpus)


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            # which GPU gets layer i
            gpu_id = (i * self.num_gpus) // depth
            device = torch.device("cuda:" + str(gpu_id))
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device)
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    device = torch.device("cuda:0")
    model = LargeLinearModelMP(DIM, DEPTH)
    model = model.to(device)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(device)
        # y must be on the same device as the output, otherwise loss gives error
        y = torch.randn(BATCH_SIZE, DIM).to(device)
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
    total = 0
    for i in range(num_gpus):
        total += torch.cuda.max_memory_allocated(i) / 1024**2
    print(f"Total GPU memory: {total:.1f} MB")


if __name__ == "__main__":
    main()
