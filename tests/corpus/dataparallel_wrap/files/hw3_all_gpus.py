# HW3, task 3 / 4 / 5
# run:  CUDA_VISIBLE_DEVICES=0,1 python hw3_all_gpus.py
import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


class LargeLinearModelMP(nn.Module):

    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()))

    def forward(self, x):
        # next(layer.parameters()) -> StopIteration under DataParallel, so removed.
        # DataParallel gives the x on right GPU already
        for layer in self.layers:
            x = layer(x)
        return x


if __name__ == "__main__":
    n = torch.cuda.device_count()
    print("GPUs:", n)

    net = LargeLinearModelMP(DIM, DEPTH)
    if n > 1:
        net = nn.DataParallel(net, device_ids=list(range(n)))
    net = net.to("cuda:0")

    opt = optim.SGD(net.parameters(), lr=0.01)
    crit = nn.MSELoss()
    tt = []
    for s in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        torch.cuda.synchronize()
        t = time.time()
        opt.zero_grad()
        out = net(x)
        l = crit(out, y)
        l.backward()
        opt.step()
        torch.cuda.synchronize()
        tt.append(time.time() - t)
        print(s, l.item(), tt[-1])
    print("avg step time", sum(tt[5:]) / len(tt[5:]))
    for g in range(n):
        print("gpu", g, torch.cuda.max_memory_allocated(g) / 1024 ** 2, "MB")
