"""A Linear layer whose weight is split by columns over all visible GPUs: y = x @ W."""

import torch
from torch import nn

ROWS = 4
INPUTS = 6
OUTPUTS = 16


class ColumnLinear(nn.Module):
    """y = x @ W, where each GPU holds a block of the columns of W."""

    def __init__(self, weight):
        super().__init__()
        blocks = weight.tensor_split(torch.cuda.device_count(), dim=1)
        self.blocks = nn.ParameterList(
            nn.Parameter(block.to(f"cuda:{gpu}")) for gpu, block in enumerate(blocks)
        )

    def forward(self, x):
        """Copy x to each GPU, compute each block there, and join the blocks on cuda:0."""
        for block in self.blocks:
            print(f"part on {block.device}: {tuple((x.to(block.device) @ block).shape)}")
        parts = [x.to(block.device) @ block for block in self.blocks]
        return torch.cat([part.to("cuda:0") for part in parts], dim=1)


if __name__ == "__main__":
    x = torch.arange(ROWS * INPUTS, dtype=torch.float32).reshape(ROWS, INPUTS).to("cuda:0")
    weight = torch.arange(INPUTS * OUTPUTS, dtype=torch.float32).reshape(INPUTS, OUTPUTS)
    layer = ColumnLinear(weight)
    for block in layer.blocks:
        print(f"{block.device}: {tuple(block.shape)}")
    y = layer(x)
    print(f"output: {tuple(y.shape)}")
    for row in y.tolist():
        print(row)
