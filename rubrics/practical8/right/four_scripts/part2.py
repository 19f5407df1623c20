import torch
from torch import nn, optim
from two_stages import TwoStages, device1

model = TwoStages()
optimizer = optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.MSELoss()
for step in range(5):
    x = torch.randn(32, 1000)
    y = torch.randn(32, 1000, device=device1)
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
