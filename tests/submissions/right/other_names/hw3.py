import time

import torch
from torch import nn, optim

HIDDEN, LAYERS, BATCH, STEPS = 4096, 20, 64, 20


class DeepNetOnManyGpus(nn.Module):
    """Model parallel MLP: neighbouring blocks share a GPU."""

    def __init__(self, hidden_size, num_layers):
        super(DeepNetOnManyGpus, self).__init__()
        self.n_gpus = torch.cuda.device_count()
        base, extra = divmod(num_layers, self.n_gpus)
        self.blocks = nn.ModuleList()
        for gpu in range(self.n_gpus):
            for _ in range(base + (1 if gpu < extra else 0)):
                block = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.ReLU())
                self.blocks.append(block.to(torch.device("cuda", gpu)))

    def forward(self, inputs):
        out = inputs
        for block in self.blocks:
            out = block(out.to(block[0].weight.device))
        return out


def train():
    net = DeepNetOnManyGpus(HIDDEN, LAYERS)
    opt = optim.SGD(net.parameters(), lr=0.01)
    criterion = nn.MSELoss()
    for step in range(STEPS):
        data = torch.randn(BATCH, HIDDEN).to("cuda:0")
        target = torch.randn(BATCH, HIDDEN).to(f"cuda:{net.n_gpus - 1}")
        torch.cuda.synchronize()
        t0 = time.perf_counter()
        opt.zero_grad()
        loss = criterion(net(data), target)
        loss.backward()
        opt.step()
        torch.cuda.synchronize()
        print(step, loss.item(), time.perf_counter() - t0)


if __name__ == "__main__":
    train()
