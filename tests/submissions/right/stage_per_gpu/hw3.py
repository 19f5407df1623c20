import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    """One nn.Sequential per GPU; x moves once per stage."""

    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        bounds = [g * depth // n for g in range(n + 1)]
        self.stages = nn.ModuleList()
        for g in range(n):
            modules = []
            for _ in range(bounds[g], bounds[g + 1]):
                modules += [nn.Linear(dim, dim), nn.ReLU()]
            self.stages.append(nn.Sequential(*modules).to(f"cuda:{g}"))

    def forward(self, x):
        for g, stage in enumerate(self.stages):
            x = stage(x.to(f"cuda:{g}"))
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device="cuda:0")
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, torch.randn(BATCH_SIZE, DIM, device=output.device))
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
