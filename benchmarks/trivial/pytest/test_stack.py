import torch
from stack import Stack


def test_output():
    model = Stack(8, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
    assert abs(model(torch.ones(4, 8))[0, 0].item() - 0.82) < 1e-5
