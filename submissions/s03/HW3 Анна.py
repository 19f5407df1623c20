import time
import torch
from torch import nn, optim

# конфигурация
DIM, DEPTH, BATCH, STEPS = 4096, 20, 64, 20


class LargeLinearModelMP(nn.Module):
    """Модель из `depth` слоёв; на каждом GPU один nn.Sequential (стадия)."""

    def __init__(self, dim, depth):
        super().__init__()
        self.n = torch.cuda.device_count()
        base, rest = divmod(depth, self.n)
        self.stages = nn.ModuleList()
        for g in range(self.n):
            size = base + 1 if g < rest else base  # остаток получают первые GPU
            stage = []
            for _ in range(size):
                stage.append(nn.Linear(dim, dim))
                stage.append(nn.ReLU())
            self.stages.append(nn.Sequential(*stage).to(torch.device("cuda", g)))

    def forward(self, x):
        for g, stage in enumerate(self.stages):
            x = stage(x.to(torch.device("cuda", g)))
        return x


def sync_all():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    print("слоёв на GPU:", [len(s) // 2 for s in model.stages])
    opt = optim.SGD(model.parameters(), lr=0.01)
    mse = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH, DIM, device="cuda:0")
        y = torch.randn(BATCH, DIM, device=f"cuda:{model.n - 1}")
        sync_all()
        start = time.perf_counter()
        opt.zero_grad()
        loss = mse(model(x), y)
        loss.backward()
        opt.step()
        sync_all()
        times.append(time.perf_counter() - start)
        print(f"{step:2d}  loss={loss.item():.4f}  {times[-1] * 1e3:.1f} ms")
    print(f"среднее: {sum(times[5:]) / (STEPS - 5) * 1e3:.1f} ms")
    for g in range(model.n):
        print(f"GPU {g}: {torch.cuda.max_memory_allocated(g) / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
