"""Practical 8: one model on two GPUs. It is begun here; one step of it and the rest are yours.

Run it with `vgpu -n 2 practical8.py`, see what it earns with `pytest .`, and read README.md for the
rest.
"""

import torch
from torch import nn

device0 = torch.device("cuda:0")
device1 = torch.device("cuda:1")


# ---- Part 1: the model
class SimpleMPModel(nn.Module):
    def __init__(self):
        super().__init__()
        # First part: GPU 0
        self.layer1 = nn.Linear(1000, 2000).to(device0)
        self.relu1 = nn.ReLU().to(device0)
        # Second part: GPU 1
        self.layer2 = nn.Linear(2000, 1000).to(device1)
        self.relu2 = nn.ReLU().to(device1)

    def forward(self, x):
        x = x.to(device0)
        x = self.layer1(x)
        x = self.relu1(x)
        # KEY STEP: x is on GPU 0, layer2 on GPU 1. Run it as it is: what does the error say?
        # Part 3: print x.device before this step, and after it.
        x = self.layer2(x)
        return self.relu2(x)


model = SimpleMPModel()
x = torch.randn(32, 1000)
output = model(x)
print(output.device)

# ---- Part 2: training
# An optimizer (optim.SGD, lr=0.01), nn.MSELoss, and five steps: new x and y, forward, loss,
# zero_grad, backward, step, and the loss printed. On which GPU does y have to be?

# ---- Part 4: time
# Read the clock, call the model, wait for the GPUs (torch.cuda.synchronize), read the clock again.
