import torch
import torch.nn as nn

# Select device: GPU if available, otherwise CPU
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# Define a simple neural network (2 linear layers)
model = nn.Sequential(
    nn.Linear(1000, 2000),  # First layer
    nn.ReLU(),              # Activation
    nn.Linear(2000, 1000)   # Second layer
).to(device)  # Move model to device

# Create dummy input data (batch of 64 samples, each of size 1000)
x = torch.randn(64, 1000).to(device)

# Forward pass: data goes through the model
output = model(x)

# Print output shape
print("Output shape:", output.shape)
