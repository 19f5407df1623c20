import torch
import torch.nn as nn

# Check if at least 2 GPUs are available
if torch.cuda.device_count() >= 2:

    # Define two devices
    device0 = torch.device("cuda:0")
    device1 = torch.device("cuda:1")

    # Split the model into two parts
    layer1 = nn.Linear(1000, 2000).to(device0)  # First layer on GPU 0
    layer2 = nn.Linear(2000, 1000).to(device1)  # Second layer on GPU 1

    # Input data starts on GPU 0
    x = torch.randn(64, 1000).to(device0)

    # Forward pass through first layer (GPU 0)
    out = layer1(x)

    # Move intermediate result to GPU 1
    out = out.to(device1)

    # Continue forward pass on GPU 1
    out = layer2(out)

    print("Output shape:", out.shape)

else:
    print("Model parallelism requires at least 2 GPUs.")
