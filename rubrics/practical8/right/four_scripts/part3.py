import torch
from two_stages import TwoStages

TwoStages(verbose=True)(torch.randn(32, 1000))
