import time
import torch
import torch.nn as nn
import torch.optim as optim

# Ayarlar
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            gpu = i * num_gpus // depth  # katman i hangi GPU'da
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU().to(f"cuda:{gpu}")
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        optimizer.zero_grad()
        output = model(x)
        y = torch.randn(BATCH_SIZE, DIM).to(output.device)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        print(step, loss.item())


if __name__ == "__main__":
    main()
