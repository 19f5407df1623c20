import torch
import torch.nn as nn

from model import LargeLinearModelMP

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM)
        y = torch.randn(BATCH_SIZE, DIM).to(model.output_device)
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
