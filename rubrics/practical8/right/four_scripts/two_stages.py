import torch
from torch import nn

device0 = torch.device("cuda:0")
device1 = torch.device("cuda:1")


class TwoStages(nn.Module):
    def __init__(self, verbose=False):
        super().__init__()
        self.verbose = verbose
        self.stage0 = nn.Sequential(nn.Linear(1000, 2000), nn.ReLU()).to(device0)
        self.stage1 = nn.Sequential(nn.Linear(2000, 1000), nn.ReLU()).to(device1)

    def forward(self, x):
        h = self.stage0(x.to(device0))
        if self.verbose:
            print(f"before: {h.device}")
        h = h.to(device1)
        if self.verbose:
            print(f"after: {h.device}")
        return self.stage1(h)
