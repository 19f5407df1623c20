import time

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim

# 配置
HIDDEN = 4096
NUM_LAYERS = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):
    def __init__(self, hidden, num_layers):
        super().__init__()
        n_gpu = torch.cuda.device_count()
        # 把层号平均分成 n_gpu 段，前面的 GPU 多一层
        # array_split(range(7), 3) -> [0 1 2] [3 4] [5 6]
        parts = np.array_split(np.arange(num_layers), n_gpu)
        self.layers = nn.ModuleList()
        for gpu, part in enumerate(parts):
            for _ in part:
                self.layers.append(
                    nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU()).to(f"cuda:{gpu}")
                )

    def forward(self, x):
        for layer in self.layers:
            x = x.to(layer[0].weight.device)
            x = layer(x)
        return x


if __name__ == "__main__":
    model = LargeLinearModelMP(HIDDEN, NUM_LAYERS)
    n_gpu = torch.cuda.device_count()
    opt = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    t = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, HIDDEN)  # 在 CPU 上
        y = torch.randn(BATCH_SIZE, HIDDEN, device=f"cuda:{n_gpu - 1}")
        torch.cuda.synchronize()
        t0 = time.time()
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        torch.cuda.synchronize()
        t.append(time.time() - t0)
        print(step, loss.item(), t[-1])
    print("mean step time", np.mean(t[5:]))
    for g in range(n_gpu):
        print("GPU", g, torch.cuda.max_memory_allocated(g) // 2**20, "MB")
