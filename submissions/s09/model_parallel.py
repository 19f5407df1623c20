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
        self.gpu_count = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            target = int(i / depth * self.gpu_count)
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).cuda(target))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            # the copy is asynchronous, so wait until the data has arrived
            while x.device != layer_device:
                x.to(layer_device, non_blocking=True)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).cuda(0)
        y = torch.randn(BATCH_SIZE, DIM).cuda(model.gpu_count - 1)
        start = time.time()
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        print("Step", step, "loss", loss.item(), "time", time.time() - start)


if __name__ == "__main__":
    main()
