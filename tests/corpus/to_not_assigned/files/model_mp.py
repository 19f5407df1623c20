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
        self.layers = nn.ModuleList()
        num_gpus = torch.cuda.device_count()
        # number of layers for every gpu
        layers_per_gpu = [depth // num_gpus] * num_gpus
        for r in range(depth % num_gpus):
            layers_per_gpu[r] += 1
        for gpu in range(num_gpus):
            device = torch.device("cuda:%d" % gpu)
            for j in range(layers_per_gpu[gpu]):
                self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x.to(layer_device)
            x = layer(x)
        return x


def main():
    num_gpus = torch.cuda.device_count()
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to("cuda:%d" % (num_gpus - 1))
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
    for i in range(num_gpus):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
