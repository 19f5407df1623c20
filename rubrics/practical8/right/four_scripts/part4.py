from time import perf_counter

import torch
from two_stages import TwoStages, device0, device1


def wait():
    torch.cuda.synchronize(device0)
    torch.cuda.synchronize(device1)


model = TwoStages()
x = torch.randn(32, 1000)
for _ in range(3):
    model(x)
times = []
for _ in range(10):
    wait()
    start = perf_counter()
    model(x)
    wait()
    times.append(perf_counter() - start)
print(f"forward: {1000 * sum(times) / len(times):.3f} ms")
