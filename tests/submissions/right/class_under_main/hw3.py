import time

import torch
import torch.nn as nn
import torch.optim as optim

if __name__ == "__main__":
    DIM = 4096
    DEPTH = 20
    BATCH_SIZE = 64
    STEPS = 20
    num_gpus = torch.cuda.device_count()

    class LargeLinearModelMP(nn.Module):
        def __init__(self, dim, depth):
            super().__init__()
            self.layers = nn.ModuleList()
            for i in range(depth):
                device = torch.device(f"cuda:{i * num_gpus // depth}")
                self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

        def forward(self, x):
            for layer in self.layers:
                layer_device = next(layer.parameters()).device
                x = x.to(layer_device)
                x = layer(x)
            return x

    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{num_gpus - 1}")
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        print(f"Step {step}: loss {loss.item():.4f}, time {time.time() - start:.4f} s")
