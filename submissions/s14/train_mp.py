import argparse
import time
import torch
import torch.nn.functional as F
from torch import nn, optim


class ModelParallelMLP(nn.Module):
    def __init__(self, hidden_dim, n_layers, devices):
        super().__init__()
        self.devices = devices
        # layer -> device table, e.g. 7 layers on 3 GPUs: 0 0 0 1 1 2 2
        self.where = [devices[(l * len(devices)) // n_layers] for l in range(n_layers)]
        self.fc = nn.ModuleList(
            [nn.Linear(hidden_dim, hidden_dim, device=d) for d in self.where]
        )

    def forward(self, x):
        for fc, d in zip(self.fc, self.where):
            if x.device != d:
                x = x.to(d)
            x = F.relu(fc(x))
        return x


def main(args):
    devices = [torch.device("cuda", i) for i in range(torch.cuda.device_count())]
    model = ModelParallelMLP(args.dim, args.depth, devices)
    opt = optim.SGD(model.parameters(), lr=1e-2)
    total = 0.0
    for step in range(args.steps):
        x = torch.randn(args.batch, args.dim, device=devices[0])
        y = torch.randn(args.batch, args.dim, device=devices[-1])
        for d in devices:
            torch.cuda.synchronize(d)
        tic = time.perf_counter()
        loss = F.mse_loss(model(x), y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        for d in devices:
            torch.cuda.synchronize(d)
        toc = time.perf_counter()
        if step >= 5:
            total += toc - tic
        print(f"step {step} loss {loss.item():.3f} {1000 * (toc - tic):.2f} ms")
    print(f"mean {1000 * total / (args.steps - 5):.2f} ms")
    for d in devices:
        print(d, torch.cuda.max_memory_allocated(d) / 1e6, "MB")


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--dim", type=int, default=4096)
    p.add_argument("--depth", type=int, default=20)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--steps", type=int, default=20)
    main(p.parse_args())
