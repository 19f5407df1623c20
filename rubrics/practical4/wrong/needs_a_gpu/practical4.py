import torch
import torch.nn as nn
device = torch.device("cuda")
model = nn.Sequential(
    nn.Linear(1000, 2000),
    nn.ReLU(),
    nn.Linear(2000, 1000)
).to(device)
x = torch.randn(64, 1000).to(device)
output = model(x)
print("Output shape:", output.shape)
chunks = torch.chunk(x, 2)
outputs = []
for i, chunk in enumerate(chunks):
    print(f"Processing chunk {i} with shape {chunk.shape}")
    out = model(chunk)
    outputs.append(out)
final_output = torch.cat(outputs)
print("Final output shape:", final_output.shape)
if torch.cuda.device_count() >= 2:
    device0 = torch.device("cuda:0")
    device1 = torch.device("cuda:1")
    layer1 = nn.Linear(1000, 2000).to(device0)
    layer2 = nn.Linear(2000, 1000).to(device1)
    x = torch.randn(64, 1000).to(device0)
    out = layer1(x)
    out = out.to(device1)
    out = layer2(out)
    print("Output shape:", out.shape)
else:
    print("Model parallelism requires at least 2 GPUs.")
