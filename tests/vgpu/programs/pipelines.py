"""torch.distributed.pipelining on two ranks, against the same work in one process.

Usage: torchrun --nproc_per_node=2 pipelines.py FOLDER. A case is a function `case_*()`; rank r
writes {case: traceback or null} as FOLDER/r.json.
"""

import json
import os
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

RANK, LOCAL = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
HERE = torch.device("cuda", LOCAL)


class Net(nn.Module):
    """Four layers; torch 2.9 cannot trace a Sequential of them."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(6)
        self.a, self.b, self.c, self.d = (nn.Linear(8, 8) for _ in range(4))

    def forward(self, x):
        x = torch.tanh(self.b(torch.tanh(self.a(x))))
        return torch.tanh(self.d(torch.tanh(self.c(x))))


def layers(net):
    """The same as a Sequential."""
    parts = [nn.Sequential(layer, nn.Tanh()) for layer in net.children()]
    return nn.Sequential(*parts)


def inputs():
    torch.manual_seed(7)
    return torch.randn(16, 8), torch.randn(16, 8)


def alone(chunks):
    """Losses and gradients of the pipeline's work in this process alone, on the CPU."""
    model, (x, y) = layers(Net()), inputs()
    losses = [
        nn.functional.mse_loss(model(a), b)
        for a, b in zip(x.chunk(chunks), y.chunk(chunks), strict=True)
    ]
    for loss in losses:
        (loss / chunks).backward()
    return torch.stack(losses).detach(), model


def piped(make_stage, make_schedule, chunks=4):
    """One step: losses equal to those of one process, gradients where the stage is."""
    stage = make_stage(Net())
    schedule = make_schedule(stage, chunks, loss_fn=nn.functional.mse_loss)
    x, y = (t.to(HERE) for t in inputs())
    found = []
    if RANK == 0:
        schedule.step(x)
    else:
        schedule.step(target=y, losses=found)
    losses, model = alone(chunks)
    if RANK == 1:
        assert torch.equal(torch.stack([loss.detach().cpu() for loss in found]), losses)
    mine = list(model[2 * RANK : 2 * RANK + 2].parameters())
    for p, q in zip(mine, stage.submod.parameters(), strict=True):
        assert q.grad.device == HERE
        assert torch.allclose(p.grad, q.grad.cpu(), atol=1e-7)


def manual(model):
    from torch.distributed.pipelining import PipelineStage

    return PipelineStage(layers(model)[2 * RANK : 2 * RANK + 2].to(HERE), RANK, 2, HERE)


def traced(model):
    from torch.distributed.pipelining import SplitPoint, pipeline

    pipe = pipeline(model, mb_args=(inputs()[0][:4],), split_spec={"c": SplitPoint.BEGINNING})
    assert pipe.num_stages == 2
    part = pipe.get_stage_module(RANK).to(HERE)
    from torch.distributed.pipelining.stage import _PipelineStage

    return _PipelineStage(part, RANK, pipe.info(), HERE)


def case_pipeline_manual_gpipe():
    from torch.distributed.pipelining import ScheduleGPipe

    piped(manual, ScheduleGPipe)


def case_pipeline_manual_1f1b():
    from torch.distributed.pipelining import Schedule1F1B

    piped(manual, Schedule1F1B)


def case_pipeline_traced_gpipe():
    from torch.distributed.pipelining import ScheduleGPipe

    piped(traced, ScheduleGPipe)


def case_pipeline_traced_1f1b():
    from torch.distributed.pipelining import Schedule1F1B

    piped(traced, Schedule1F1B)


def run(folder):
    torch.cuda.set_device(LOCAL)
    dist.init_process_group("nccl", timeout=timedelta(seconds=30))
    results = {}
    for name, case in [(k, v) for k, v in globals().items() if k.startswith("case_")]:
        try:
            results[name] = case()
        except Exception:
            results[name] = traceback.format_exc()
            sys.stderr.write(f"rank {RANK} {name}\n{results[name]}\n")
    (Path(folder) / f"{RANK}.json").write_text(json.dumps(results))
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(sys.argv[1])
