import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{i * num_gpus // depth}"))

    def forward(self, x):
        for layer in self.layers:
            x = x.to(next(layer.parameters()).device)
            x = layer(x)
        return x


if __name__ == "__main__":
    num_gpus = torch.cuda.device_count()
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
