import time

import torch
from torch import nn

gpu = [torch.device("cuda", n) for n in range(2)]
first = nn.Sequential(nn.Linear(1000, 2000), nn.ReLU()).to(gpu[0])
second = nn.Sequential(nn.Linear(2000, 1000), nn.ReLU()).to(gpu[1])


def forward(x):
    x = first(x.to(gpu[0]))
    print("Before move:", x.device)
    x = x.to(gpu[1])
    print("After move:", x.device)
    return second(x)


print(forward(torch.randn(32, 1000)).device)

optimizer = torch.optim.SGD([*first.parameters(), *second.parameters()], lr=0.01)
criterion = nn.MSELoss()
for step in range(5):
    y = torch.randn(32, 1000).to(gpu[1])
    optimizer.zero_grad()
    loss = criterion(forward(torch.randn(32, 1000)), y)
    loss.backward()
    optimizer.step()
    print(f"Step {step}, Loss: {loss.item():.4f}")

began = time.perf_counter()
result = forward(torch.randn(32, 1000)).sum().item()
print("Forward time:", time.perf_counter() - began)
