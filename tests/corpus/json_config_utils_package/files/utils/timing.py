import time

import torch


def _wait():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


class StepTimer:
    """with timer: ... measures one step, GPUs are drained before and after."""

    def __init__(self, warmup: int):
        self.warmup = warmup
        self.samples = []

    def __enter__(self):
        _wait()
        self._t0 = time.perf_counter()
        return self

    def __exit__(self, *exc):
        _wait()
        self.samples.append(time.perf_counter() - self._t0)
        return False

    @property
    def mean_ms(self) -> float:
        s = self.samples[self.warmup:] or self.samples
        return 1000.0 * sum(s) / len(s)


def peak_memory_mb():
    return [torch.cuda.max_memory_allocated(g) / 2**20
            for g in range(torch.cuda.device_count())]
