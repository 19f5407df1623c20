import time
import torch
import torch.nn as nn
import torch.optim as optim

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

model = nn.Sequential(
    nn.Linear(1000, 2000),
    nn.ReLU(),
    nn.Linear(2000, 1000),
).to(device)
optimizer = optim.SGD(model.parameters(), lr=0.01)
criterion = nn.MSELoss()

total_start = time.time()
for step in range(20):
    x = torch.randn(64, 1000).to(device)
    y = torch.randn(64, 1000).to(device)

    start = time.time()
    output = model(x)
    loss = criterion(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    torch.cuda.synchronize()
    print(f"Step {step}: {time.time() - start:.4f} sec, loss {loss.item():.4f}")

print(f"Total time: {time.time() - total_start:.4f} sec")
print(f"Memory: {torch.cuda.memory_allocated() / 1024**2:.1f} MB")
