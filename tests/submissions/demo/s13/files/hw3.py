import torch
import torch.nn as nn


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        n = torch.cuda.device_count()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{i * n // depth}")
            for i in range(depth)
        )

    def forward(self, x):
        for layer in self.layers:
            x = layer(x.to(next(layer.parameters()).device))
        return x


if __name__ == "__main__":
    model = LargeLinearModelMP(4096, 20)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for step in range(20):
        output = model(torch.randn(64, 4096, device="cuda:0"))
        loss = nn.functional.mse_loss(output, torch.randn_like(output))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(step, loss.item())
