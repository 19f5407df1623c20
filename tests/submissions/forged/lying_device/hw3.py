import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class Elsewhere(nn.Parameter):
    """A parameter of cuda:0 that says it is on another GPU."""

    def __new__(cls, data, gpu):
        parameter = super().__new__(cls, data)
        parameter.gpu = gpu
        return parameter

    @property
    def device(self):
        return torch.device("cuda", self.gpu)

    def get_device(self):
        return self.gpu


class LinearElsewhere(nn.Linear):
    def __init__(self, dim, gpu):
        super().__init__(dim, dim, device="cuda:0")
        self.gpu = gpu
        self.weight = Elsewhere(self.weight.data, gpu)
        self.bias = Elsewhere(self.bias.data, gpu)

    @property
    def device(self):
        return torch.device("cuda", self.gpu)


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            gpu = i * num_gpus // depth
            self.layers.append(nn.Sequential(LinearElsewhere(dim, gpu), nn.ReLU()))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device="cuda:0")
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, torch.randn(BATCH_SIZE, DIM, device=output.device))
        loss.backward()
        optimizer.step()
        print(f"step {step}: loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
