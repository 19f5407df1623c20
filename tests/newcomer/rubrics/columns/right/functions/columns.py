"""y = x @ W with functions only; W begins on cuda:0, and its blocks are kept transposed."""

import torch
from torch.nn.functional import linear

ROWS = 4
INPUTS = 6
OUTPUTS = 16


def spread(weight, gpus):
    """Blocks of rows of the transposed weight, the first ones a row larger, one for each GPU."""
    least, rest = divmod(weight.shape[1], gpus)
    sizes = [least + 1] * rest + [least] * (gpus - rest)
    pieces = torch.split(weight.T, sizes)
    return [piece.to(torch.device("cuda", gpu)) for gpu, piece in enumerate(pieces)]


def forward(x, blocks):
    """All blocks of y, written into their columns of it."""
    y = torch.empty(len(x), sum(len(block) for block in blocks), device="cuda:0")
    begin = 0
    for block in blocks:
        y[:, begin : begin + len(block)] = linear(x.to(block.device), block).to(y.device)
        begin += len(block)
    return y


def main():
    """Print the blocks and the output."""
    x = torch.arange(ROWS * INPUTS, device="cuda:0").reshape(ROWS, INPUTS).float()
    weight = torch.arange(INPUTS * OUTPUTS, device="cuda:0").reshape(INPUTS, OUTPUTS).float()
    blocks = spread(weight, torch.cuda.device_count())
    for gpu, block in enumerate(blocks):
        print("GPU", gpu, "holds", block.shape)
    y = forward(x, blocks)
    print("output", y.shape)
    print(y)


main()
