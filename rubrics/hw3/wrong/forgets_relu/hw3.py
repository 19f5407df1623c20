import torch
import torch.nn as nn

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        num_gpus = torch.cuda.device_count()
        self.linears = nn.ModuleList()
        self.relus = nn.ModuleList()
        for i in range(depth):
            gpu = i * num_gpus // depth
            self.linears.append(nn.Linear(dim, dim).to(f"cuda:{gpu}"))
            self.relus.append(nn.ReLU())

    def forward(self, x):
        for linear, relu in zip(self.linears, self.relus):
            x = linear(x.to(linear.weight.device))
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
