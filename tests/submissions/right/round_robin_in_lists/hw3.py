import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.depth = depth
        self.n = torch.cuda.device_count()
        self.on_gpu = nn.ModuleList(nn.ModuleList() for _ in range(self.n))
        for i in range(depth):
            self.on_gpu[i % self.n].append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{i % self.n}"))

    def forward(self, x):
        for i in range(self.depth):
            x = self.on_gpu[i % self.n][i // self.n](x.to(f"cuda:{i % self.n}"))
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device="cuda:0")
        optimizer.zero_grad()
        output = model(x)
        loss = nn.functional.mse_loss(output, torch.randn_like(output))
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
