import time

import torch
import torch.nn.functional as F

from model import LargeLinearModelMP

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


def sync_all():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def train_step(model, opt, x, y):
    opt.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    opt.step()
    return loss


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    print([str(W.device) for W in model.weights])
    opt = torch.optim.SGD(model.parameters(), lr=0.01)
    first, last = model.weights[0].device, model.weights[-1].device

    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM, device=first)
        y = torch.randn(BATCH_SIZE, DIM, device=last)
        sync_all()
        t = time.time()
        loss = train_step(model, opt, x, y)
        sync_all()
        times.append(time.time() - t)
        print(step, round(loss.item(), 4), round(times[-1], 5))

    kept = times[5:]
    print("mean step time [s]:", round(sum(kept) / len(kept), 5))
    for g in range(torch.cuda.device_count()):
        print("GPU", g, "MB:", round(torch.cuda.max_memory_allocated(g) / 1024 ** 2))


if __name__ == "__main__":
    main()
