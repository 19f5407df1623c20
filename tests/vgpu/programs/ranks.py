"""Training on two ranks in every usual way; what each case computed is saved for comparison.

Usage: torchrun --nproc_per_node=2 ranks.py FOLDER. On GPUs by NCCL, without any by gloo. A case is
a function `case_*(folder)` that returns tensors or numbers; rank r saves them as FOLDER/r.pt, with
the traceback of those that failed.
"""

import contextlib
import copy
import os
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.distributed.algorithms.join import Join
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

RANK, LOCAL = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
ON_GPU = torch.cuda.is_available()
HERE = torch.device("cuda", LOCAL) if ON_GPU else torch.device("cpu")
MINE = [HERE] if ON_GPU else None


def pair():
    """Two GPUs of this rank's own."""
    return [torch.device("cuda", 2 * LOCAL + i) if ON_GPU else HERE for i in (0, 1)]


def mlp(width=8, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, 2)).to(HERE)


def data(steps=4, seed=10):
    torch.manual_seed(seed + RANK)
    return [(torch.randn(16, 8), torch.randn(16, 2)) for _ in range(steps)]


def train(model, optimizer=None, batches=None, where=None):
    """The losses, then the parameters."""
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses = []
    for x, y in batches or data():
        out = model(x.to(where or HERE))
        loss = nn.functional.mse_loss(out, y.to(out.device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach().cpu())
    return [*losses, *parameters(model)]


def parameters(model):
    return [p.detach().cpu().clone() for p in model.parameters()]


def case_ddp(folder):
    return train(DDP(mlp(), device_ids=MINE))


def case_ddp_with_several_buckets(folder):
    return train(DDP(mlp(width=300), device_ids=MINE, bucket_cap_mb=0.005))


def case_ddp_gradient_as_bucket_view(folder):
    return train(DDP(mlp(), device_ids=MINE, gradient_as_bucket_view=True))


def case_ddp_static_graph(folder):
    return train(DDP(mlp(), device_ids=MINE, static_graph=True))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.branches = nn.ModuleList(nn.Linear(8, 2) for _ in range(2))
        self.step = 0

    def forward(self, x):
        self.step += 1
        return self.branches[self.step % 2](x)


def case_ddp_find_unused_parameters(folder):
    return train(DDP(Branches().to(HERE), device_ids=MINE, find_unused_parameters=True))


def case_ddp_batch_norm_buffers(folder):
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Linear(8, 2)).to(HERE)
    losses = train(DDP(model, device_ids=MINE))
    return [*losses, *(b.cpu() for b in model.buffers())]


def case_ddp_comm_hook(folder):
    model = DDP(mlp(), device_ids=MINE)
    model.register_comm_hook(None, default_hooks.fp16_compress_hook)
    return train(model)


def case_ddp_own_comm_hook(folder):
    def halve(state, bucket):
        work = dist.all_reduce(bucket.buffer().div_(4), async_op=True)
        return work.get_future().then(lambda done: done.value()[0])

    model = DDP(mlp(), device_ids=MINE)
    model.register_comm_hook(None, halve)
    return train(model)


def case_ddp_no_sync(folder):
    model = DDP(mlp(), device_ids=MINE)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for i, (x, y) in enumerate(data(6)):
        last = i % 3 == 2
        with contextlib.nullcontext() if last else model.no_sync():
            (nn.functional.mse_loss(model(x.to(HERE)), y.to(HERE)) / 3).backward()
        if last:
            optimizer.step()
            optimizer.zero_grad()
    return parameters(model)


def case_ddp_with_a_sampler(folder):
    torch.manual_seed(3)
    everything = TensorDataset(torch.randn(40, 8), torch.randn(40, 2))
    sampler = DistributedSampler(everything, shuffle=True, seed=5)
    loader = DataLoader(everything, batch_size=5, sampler=sampler, num_workers=1, pin_memory=ON_GPU)
    model, out = DDP(mlp(), device_ids=MINE), []
    for epoch in range(2):
        sampler.set_epoch(epoch)
        out += train(model, batches=list(loader))
    return out


def case_ddp_resumed(folder):
    """Half a training, a checkpoint by rank 0, the other half from it: as if in one go."""
    whole = train(DDP(mlp(), device_ids=MINE), batches=data(6))
    model = DDP(mlp(), device_ids=MINE)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(model, optimizer, data(6)[:3])
    path = Path(folder, "checkpoint.pt")
    if RANK == 0:
        state = {"model": model.module.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, path)
    dist.barrier()
    resumed = DDP(mlp(seed=99), device_ids=MINE)
    optimizer = torch.optim.SGD(resumed.parameters(), lr=0.1, momentum=0.9)
    state = torch.load(path, map_location={"cuda:0": f"cuda:{LOCAL}"} if ON_GPU else None)
    assert all(value.device == HERE for value in state["model"].values())
    resumed.module.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    rest = train(resumed, optimizer, data(6)[3:])
    assert all(map(torch.equal, whole[3:], rest))
    return rest


class TwoDevices(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        torch.manual_seed(4)
        self.first, self.second = first, second
        self.a, self.b = nn.Linear(8, 8).to(first), nn.Linear(8, 2).to(second)

    def forward(self, x):
        return self.b(torch.relu(self.a(x.to(self.first))).to(self.second))


def case_ddp_over_two_devices(folder):
    devices = pair()
    model = DDP(TwoDevices(*devices))
    out = train(model, where=devices[0])
    path = Path(folder, "two.pt")
    if RANK == 0:
        torch.save(model.state_dict(), path)
    dist.barrier()
    places = {f"cuda:{i}": f"cuda:{2 * LOCAL + i}" for i in (0, 1)} if ON_GPU else None
    model.load_state_dict(torch.load(path, map_location=places))
    assert [p.device for p in model.parameters()] == [d for d in devices for _ in (0, 1)]
    return out + parameters(model)


def case_sharded_optimizer(folder):
    model = DDP(mlp(width=32), device_ids=MINE)
    optimizer = ZeroRedundancyOptimizer(model.parameters(), torch.optim.Adam, lr=0.01)
    sharded = train(model, optimizer)
    plain = DDP(mlp(width=32), device_ids=MINE)
    whole = train(plain, torch.optim.Adam(plain.parameters(), lr=0.01))
    assert all(map(torch.equal, sharded, whole))
    optimizer.consolidate_state_dict(to=0)
    if RANK == 0:
        assert len(optimizer.state_dict()["state"]) == 4
    return sharded


def case_join_of_uneven_inputs(folder):
    model = DDP(mlp(), device_ids=MINE)
    with Join([model]):
        return train(model, batches=data(3 + RANK))[-4:]


def case_hybrid_with_gradients_reduced_by_hand(folder):
    """Each rank one model over two GPUs of its own; no DDP."""
    devices = pair()
    model = TwoDevices(*devices)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x, y in data():
        loss = nn.functional.mse_loss(model(x), y.to(devices[1]))
        optimizer.zero_grad()
        loss.backward()
        for p in model.parameters():
            dist.all_reduce(p.grad)
            p.grad /= dist.get_world_size()
        optimizer.step()
    return parameters(model)


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x):
        n, length, width = x.shape
        parts = self.qkv(self.before(x)).split(width, dim=2)
        q, k, v = (p.view(n, length, self.heads, -1).transpose(1, 2) for p in parts)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(n, length, width))
        return x + self.mlp(self.after(x))


class GPT(nn.Module):
    def __init__(self, letters=11, width=16, length=12):
        super().__init__()
        torch.manual_seed(5)
        self.tokens, self.places = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.blocks = nn.Sequential(*(Block(width, 2) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        x = self.tokens(ids) + self.places(torch.arange(ids.shape[1], device=ids.device))
        return self.head(self.norm(self.blocks(x)))


def case_gpt_with_gradient_accumulation(folder):
    return gpt(contextlib.nullcontext)


def case_gpt_in_bfloat16(folder):
    losses = gpt(lambda: torch.autocast(HERE.type, dtype=torch.bfloat16), torch.bfloat16)
    assert losses[-1] < losses[0]
    return []


def gpt(precision, dtype=torch.float32):
    model = DDP(GPT().to(HERE), device_ids=MINE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    torch.manual_seed(20 + RANK)
    losses = []
    for step in range(12):
        start = torch.randint(0, 11, (8, 1))
        ids = ((start + torch.arange(13)) % 11).to(HERE)
        last = step % 2 == 1
        with contextlib.nullcontext() if last else model.no_sync():
            with precision():
                logits = model(ids[:, :-1])
                assert logits.dtype == dtype, logits.dtype
                loss = nn.functional.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())
            (loss / 2).backward()
        if last:
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(loss.detach().cpu())
    return losses


def run(folder):
    if ON_GPU:
        torch.cuda.set_device(LOCAL)
    dist.init_process_group("nccl" if ON_GPU else "gloo", timeout=timedelta(seconds=30))
    results, troubles = {}, {}
    for name, case in [(k, v) for k, v in globals().items() if k.startswith("case_")]:
        try:
            results[name] = copy.deepcopy(case(folder))
        except Exception:
            troubles[name] = traceback.format_exc()
            sys.stderr.write(f"rank {RANK} {name}\n{troubles[name]}\n")
    torch.save((results, troubles), Path(folder, f"{RANK}.pt"))
    dist.destroy_process_group()


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(sys.argv[1])
