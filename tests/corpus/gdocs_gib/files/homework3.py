import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20       # 6 -> 12 -> 24 for task 2, 20 for task 4
BATCH_SIZE = 64
STEPS = 20

# how many gpus do we have?
NUM_GPUS = torch.cuda.device_count()
first_device = torch.device("cuda:0")
last_device = torch.device("cuda:" + str(NUM_GPUS - 1))


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            gpu_id = (i * num_gpus) // depth
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

    # check the distribution
    for i, layer in enumerate(model.layers):
        print("layer", i, "->", next(layer.parameters()).device)

    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(first_device)
        y = torch.randn(BATCH_SIZE, DIM).to(last_device)
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        for g in range(NUM_GPUS):
            torch.cuda.synchronize(g)
        end = time.time()
        times.append(end - start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")

    print(f"DEPTH={DEPTH}, GPUs={NUM_GPUS}")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for i in range(NUM_GPUS):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**3:.2f} GiB")


if __name__ == "__main__":
    main()
