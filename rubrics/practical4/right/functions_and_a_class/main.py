"""Other sizes, functions, and a class for the part with two GPUs."""
import sys

import torch
import torch.nn.functional as F
from torch import nn

BATCH = 128
WIDTH, HIDDEN = 300, 700


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, HIDDEN)
        self.fc2 = nn.Linear(HIDDEN, WIDTH)

    def forward(self, x):
        return self.fc2(F.relu(self.fc1(x)))


class SplitNet(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.second = second
        self.fc1 = nn.Linear(WIDTH, HIDDEN).to(first)
        self.fc2 = nn.Linear(HIDDEN, WIDTH).to(second)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return self.fc2(x.to(self.second))


def part1(device):
    model = Net().to(device)
    x = torch.randn(BATCH, WIDTH, device=device)
    print("one device:", device, tuple(model(x).shape))
    return model, x


def part2(model, x):
    half = (len(x) + 1) // 2
    result = torch.empty(len(x), WIDTH, device=x.device)
    for start in (0, half):
        chunk = x[start:start + half]
        print("chunk from", start, tuple(chunk.shape))
        result[start:start + half] = model(chunk)
    print("joined:", tuple(result.shape), "equal:", torch.allclose(result, model(x), atol=1e-5))


def part3():
    gpus = torch.cuda.device_count()
    print("GPUs:", gpus)
    if gpus < 2:
        sys.exit("Two GPUs are needed for model parallelism.")
    model = SplitNet("cuda:0", "cuda:1")
    for _ in range(3):
        out = model(torch.randn(BATCH, WIDTH).to("cuda:0"))
    print("two GPUs:", tuple(out.shape), out.device)


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, x = part1(device)
    part2(model, x)
    part3()


if __name__ == "__main__":
    main()
