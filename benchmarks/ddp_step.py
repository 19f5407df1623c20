"""A step of DistributedDataParallel on two ranks: virtual GPUs against gloo on the CPU.

`python benchmarks/ddp_step.py [WIDTH ...]` prints milliseconds per step, the median of 30.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

WARM, STEPS, DEPTH, BATCH = 5, 30, 8, 32


def rank() -> None:
    import torch
    import torch.distributed as dist
    from torch import nn
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    on_gpu = torch.cuda.is_available()
    local = int(os.environ["LOCAL_RANK"])
    here = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    dist.init_process_group("nccl" if on_gpu else "gloo")
    for width in map(int, sys.argv[2:]):
        layers = [nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(DEPTH)]
        model = DistributedDataParallel(nn.Sequential(*layers).to(here))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        x = torch.randn(BATCH, width, device=here)
        times = []
        for _ in range(WARM + STEPS):
            start = time.perf_counter()
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()
            times.append((time.perf_counter() - start) * 1e3)
        if local == 0:
            kind = "virtual GPUs" if on_gpu else "gloo on the CPU"
            sys.stdout.write(
                f"width {width:>5}  {kind:<16}{statistics.median(times[WARM:]):8.1f} ms\n"
            )
    dist.destroy_process_group()


def main() -> None:
    widths = sys.argv[1:] or ["64", "256", "512"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    for gpus in ("", "2"):
        environment = {**os.environ, "VGPU": gpus, "OMP_NUM_THREADS": "1"}
        subprocess.run([*command, __file__, "rank", *widths], env=environment, check=True)


if __name__ == "__main__":
    rank() if sys.argv[1:2] == ["rank"] else main()
