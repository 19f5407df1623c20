import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 8192
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

num_gpus = torch.cuda.device_count()
print("GPUs:", num_gpus)


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
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


model = LargeLinearModelMP(DIM, DEPTH)
for i, layer in enumerate(model.layers):
    print("layer", i, "->", next(layer.parameters()).device)

optimizer = optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
times = []
for step in range(STEPS):
    x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
    y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{num_gpus - 1}")
    torch.cuda.synchronize()
    start = time.time()
    optimizer.zero_grad()
    output = model(x)
    loss = loss_fn(output, y)
    loss.backward()
    optimizer.step()
    torch.cuda.synchronize()
    times.append(time.time() - start)
    print(f"Step {step}: loss {loss.item():.4f}, time {times[-1]:.4f} s")
print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
for i in range(num_gpus):
    print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")
