import torch
from torch import nn


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim: int, depth: int) -> None:
        super().__init__()
        gpus = [torch.device("cuda", k) for k in range(torch.cuda.device_count())]
        per_gpu, rest = divmod(depth, len(gpus))

        self.layers = nn.ModuleList()
        for k, gpu in enumerate(gpus):
            # the first `rest` GPUs take one layer more
            count = per_gpu + 1 if k < rest else per_gpu
            for _ in range(count):
                self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(gpu))

    def out_device(self) -> torch.device:
        return next(self.layers[-1].parameters()).device

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        # x may be in the ordinary memory (CPU), the first .to() brings it to GPU 0
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x
