"""What every student of the trivial assignment hands in."""

import torch
from torch import nn


class Stack(nn.Module):
    """`depth` layers, each `dim` wide, on a GPU where there is one."""

    def __init__(self, dim, depth):
        super().__init__()
        self.device = "cuda:0" if torch.cuda.is_available() else "cpu"
        layers = [nn.Sequential(nn.Linear(dim, dim), nn.ReLU()) for _ in range(depth)]
        self.layers = nn.Sequential(*layers).to(self.device)

    def forward(self, x):
        return self.layers(x.to(self.device))
