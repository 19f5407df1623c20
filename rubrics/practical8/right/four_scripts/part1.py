import torch
from two_stages import TwoStages

output = TwoStages()(torch.randn(32, 1000))
print("The output is on", output.device)
