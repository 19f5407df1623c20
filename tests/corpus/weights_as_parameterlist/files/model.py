import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class LargeLinearModelMP(nn.Module):
    """depth times relu(x W^T + b), written with bare matrices.

    There are no nn.Linear modules: self.weights[i] and self.biases[i]
    belong to layer i and sit on the GPU that computes it.
    """

    def __init__(self, dim, depth):
        super().__init__()
        n_gpus = torch.cuda.device_count()
        bounds = [round(g * depth / n_gpus) for g in range(n_gpus + 1)]
        limit = 1.0 / math.sqrt(dim)

        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for g in range(n_gpus):
            dev = torch.device("cuda", g)
            for _ in range(bounds[g], bounds[g + 1]):
                W = torch.empty(dim, dim, device=dev).uniform_(-limit, limit)
                b = torch.empty(dim, device=dev).uniform_(-limit, limit)
                self.weights.append(nn.Parameter(W))
                self.biases.append(nn.Parameter(b))

    def forward(self, x):
        for W, b in zip(self.weights, self.biases):
            x = x.to(W.device)
            x = F.relu(F.linear(x, W, b))
        return x
