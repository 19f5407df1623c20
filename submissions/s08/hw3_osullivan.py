"""HW3 - dynamic model parallelism"""
import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        gpus = torch.cuda.device_count()
        layers = []
        for i in range(depth):
            device = torch.device(f"cuda:{i * gpus // depth}")
            layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))
        # one Sequential is nicer than a loop in forward
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        x = x.to("cuda:0")
        return self.layers(x)


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM)
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{torch.cuda.device_count() - 1}")
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        print(f"Step {step}: loss {loss.item():.4f}, time {time.time() - start:.4f} s")


if __name__ == "__main__":
    main()
