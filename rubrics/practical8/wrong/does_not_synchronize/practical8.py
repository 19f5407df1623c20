import torch
import torch.nn as nn
device0 = torch.device("cuda:0")
device1 = torch.device("cuda:1")
class SimpleMPModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(1000, 2000).to(device0)
        self.relu1 = nn.ReLU().to(device0)
        self.layer2 = nn.Linear(2000, 1000).to(device1)
        self.relu2 = nn.ReLU().to(device1)
    def forward(self, x):
        x = x.to(device0)
        x = self.layer1(x)
        x = self.relu1(x)
        print("Before move:", x.device)
        x = x.to(device1)
        print("After move:", x.device)
        x = self.layer2(x)
        x = self.relu2(x)
        return x
model = SimpleMPModel()
x = torch.randn(32, 1000)
output = model(x)
print(output.device)
import torch.optim as optim
model = SimpleMPModel()
optimizer = optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()
for step in range(5):
    x = torch.randn(32, 1000)
    y = torch.randn(32, 1000).to(device1)
    output = model(x)
    loss = loss_fn(output, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"Step {step}, Loss: {loss.item():.4f}")
import time
start = time.time()
output = model(x)
end = time.time()
print("Forward time:", end - start)
