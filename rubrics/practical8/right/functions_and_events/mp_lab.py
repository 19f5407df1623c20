"""Another class, other sizes, a loss that is a function, and the GPU's own clock."""
import torch
import torch.nn.functional as F
from torch import nn

LAST = torch.cuda.device_count() - 1
BATCH, WIDTH, HIDDEN = 16, 200, 300


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(WIDTH, HIDDEN, device="cuda:0")
        self.second = nn.Linear(HIDDEN, WIDTH, device=f"cuda:{LAST}")

    def forward(self, x):
        x = F.relu(self.first(x.cuda(0)))
        print("Enne: GPU", x.get_device())
        x = x.cuda(LAST)
        print("Pärast: GPU", x.get_device())
        return F.relu(self.second(x))


def show():
    print("Väljund on GPU", Net()(torch.randn(BATCH, WIDTH)).get_device())


def train(steps=8):
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(steps):
        output = model(torch.randn(BATCH, WIDTH))
        loss = F.mse_loss(output, torch.randn(BATCH, WIDTH).to(output.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(loss.item())


def measure():
    model, x = Net(), torch.randn(BATCH, WIDTH)
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    with torch.no_grad():
        start.record()
        model(x)
        end.record()
    torch.cuda.synchronize()
    print("ms:", start.elapsed_time(end))


if __name__ == "__main__":
    show()
    train()
    measure()
