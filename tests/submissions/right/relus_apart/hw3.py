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
        self.gpu_of = []
        for i in range(depth):
            self.gpu_of.append(i * num_gpus // depth)
            self.linears.append(nn.Linear(dim, dim).cuda(self.gpu_of[i]))
        self.relu = nn.ReLU()  # has no weights, so one is enough for all GPUs

    def forward(self, x):
        for linear, gpu in zip(self.linears, self.gpu_of):
            x = x.cuda(gpu)
            x = self.relu(linear(x))
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
