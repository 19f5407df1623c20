import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 6
BATCH_SIZE = 64
STEPS = 20

num_gpus = torch.cuda.device_count()
print("GPUs found:", num_gpus)


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        # how many layers on each gpu
        n = torch.cuda.device_count()
        counts = [depth // n] * n
        for k in range(depth % n):
            counts[k] += 1
        # list with gpu number of each layer, e.g. [0, 0, 0, 1, 1, 1]
        self.device_map = []
        for gpu in range(n):
            self.device_map += [gpu] * counts[gpu]

        self.layers = nn.ModuleList()
        for i in range(depth):
            dev = torch.device("cuda:" + str(self.device_map[i]))
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(dev)
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


model = LargeLinearModelMP(DIM, DEPTH)
for i, layer in enumerate(model.layers):
    print("layer", i, next(layer.parameters()).device)

optimizer = optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
first_device = torch.device("cuda:0")
last_device = next(model.layers[-1].parameters()).device
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
    torch.cuda.synchronize()
    end = time.time()
    times.append(end - start)
print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
