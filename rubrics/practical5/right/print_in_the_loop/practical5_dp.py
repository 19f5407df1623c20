import time
import torch
import torch.nn as nn
import torch.optim as optim

device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

model = nn.Sequential(
    nn.Linear(1000, 2000),
    nn.ReLU(),
    nn.Linear(2000, 1000),
)
print("GPUs:", torch.cuda.device_count())
if torch.cuda.device_count() > 1:
    model = nn.DataParallel(model)
model = model.to(device)
optimizer = optim.SGD(model.parameters(), lr=0.01)
criterion = nn.MSELoss()

total_start = time.time()
for step in range(20):
    x = torch.randn(64, 1000).to(device)
    y = torch.randn(64, 1000).to(device)
    print(f"Inside model on device {x.device}, shape: {x.shape}")

    start = time.time()
    output = model(x)
    loss = criterion(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    torch.cuda.synchronize()
    print(f"Step {step}: {time.time() - start:.4f} sec, loss {loss.item():.4f}")

print(f"Total time: {time.time() - total_start:.4f} sec")
for i in range(torch.cuda.device_count()):
    print(f"GPU {i} memory: {torch.cuda.memory_allocated(i) / 1024**2:.1f} MB")
