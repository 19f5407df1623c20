"""Every collective on two ranks, each on its own GPU; results per case as JSON.

Usage: torchrun --nproc_per_node=2 collectives.py FOLDER. A case is a function `case_*(here)`; it
fails by assertion, and is awaited by the other rank before the next.
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
from torch.nn.parallel import DistributedDataParallel

RANK, LOCAL = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
WORLD = 2
HERE = torch.device("cuda", LOCAL)


def full(value, size=3, **options):
    return torch.full((size,), value, device=HERE, **options)


def same(tensor, expected):
    assert tensor.device == HERE, tensor.device
    assert tensor.tolist() == expected, tensor.tolist()


def fails(kind, text, function):
    found = "no error"
    try:
        function()
    except kind as error:
        found = str(error)
    assert text in found, found


def case_backend_is_what_was_asked_for():
    assert dist.get_backend() == "nccl"
    assert dist.is_nccl_available()
    assert dist.get_backend_config() == "cuda:nccl"
    assert (dist.get_rank(), dist.get_world_size()) == (RANK, WORLD)


def case_all_reduce_sum():
    x = full(float(RANK + 1))
    assert dist.all_reduce(x) is None
    same(x, [3.0] * 3)


def case_all_reduce_other_operations():
    for op, expected in (("MAX", 3), ("MIN", 2), ("PRODUCT", 6)):
        x = full(RANK + 2)
        dist.all_reduce(x, op=getattr(dist.ReduceOp, op))
        same(x, [expected] * 3)
    for op, expected in (("BAND", 2), ("BOR", 3), ("BXOR", 1)):
        x = full(RANK + 2)
        dist.all_reduce(x, op=getattr(dist.ReduceOp, op))
        same(x, [expected] * 3)


def case_all_reduce_average():
    x = full(float(RANK))
    dist.all_reduce(x, op=dist.ReduceOp.AVG)
    same(x, [0.5] * 3)
    n = full(RANK + 2)
    dist.all_reduce(n, op=dist.ReduceOp.AVG)
    same(n, [2] * 3)
    y = full(float(RANK))
    work = dist.all_reduce(y, op=dist.ReduceOp.AVG, async_op=True)
    work.wait()
    same(y, [0.5] * 3)


def case_all_reduce_half_precision():
    for dtype in (torch.float16, torch.bfloat16):
        x = full(RANK + 1.5, dtype=dtype)
        dist.all_reduce(x)
        same(x, [4.0] * 3)
        assert x.dtype == dtype


def case_all_reduce_of_a_view():
    x = torch.zeros(4, 3, device=HERE)
    dist.all_reduce(x[1].add_(RANK + 1))
    same(x, [[0.0] * 3, [3.0] * 3, [0.0] * 3, [0.0] * 3])


def case_async_work():
    x = full(float(RANK + 1))
    work = dist.all_reduce(x, async_op=True)
    assert work.wait() is True
    assert work.is_completed()
    same(x, [3.0] * 3)


def case_future():
    x = full(float(RANK + 1))
    future = dist.all_reduce(x, async_op=True).get_future()
    doubled = future.then(lambda done: done.value()[0] * 2)
    same(doubled.wait(), [6.0] * 3)
    assert future.value()[0] is x


def case_broadcast():
    for root in range(WORLD):
        x = full(float(RANK))
        dist.broadcast(x, root)
        same(x, [float(root)] * 3)


def case_reduce():
    x = full(float(RANK + 1))
    dist.reduce(x, 1)
    same(x, [3.0] * 3 if RANK == 1 else [1.0] * 3)
    y = full(float(RANK + 1))
    dist.reduce(y, 0, op=dist.ReduceOp.AVG)
    same(y, [1.5] * 3 if RANK == 0 else [2.0] * 3)


def case_all_gather():
    out = [full(-1.0) for _ in range(WORLD)]
    dist.all_gather(out, full(float(RANK)))
    for rank, x in enumerate(out):
        same(x, [float(rank)] * 3)


def case_all_gather_into_tensor():
    out = torch.empty(2 * WORLD, device=HERE)
    dist.all_gather_into_tensor(out, full(float(RANK), 2))
    same(out, [0.0, 0.0, 1.0, 1.0])
    stacked = torch.empty(WORLD, 2, device=HERE)
    work = dist.all_gather_into_tensor(stacked, full(float(RANK), 2), async_op=True)
    work.wait()
    same(stacked, [[0.0, 0.0], [1.0, 1.0]])


def case_reduce_scatter():
    out = full(-1.0, 2)
    dist.reduce_scatter(out, [full(float(RANK + 1), 2), full(10.0, 2)])
    same(out, [3.0] * 2 if RANK == 0 else [20.0] * 2)


def case_reduce_scatter_tensor():
    out = full(-1.0, 2)
    source = torch.arange(4.0, device=HERE) * (RANK + 1)
    dist.reduce_scatter_tensor(out, source)
    same(out, [[0.0, 3.0], [6.0, 9.0]][RANK])
    same(source, [0.0, 1.0 * (RANK + 1), 2.0 * (RANK + 1), 3.0 * (RANK + 1)])
    dist.reduce_scatter_tensor(out, source, op=dist.ReduceOp.AVG)
    same(out, [[0.0, 1.5], [3.0, 4.5]][RANK])


def case_scatter():
    out = full(-1.0)
    dist.scatter(out, [full(5.0), full(6.0)] if RANK == 1 else None, src=1)
    same(out, [5.0 + RANK] * 3)


def case_gather():
    out = [full(-1.0) for _ in range(WORLD)] if RANK == 0 else None
    dist.gather(full(float(RANK)), out, dst=0)
    if out is not None:
        same(out[0], [0.0] * 3)
        same(out[1], [1.0] * 3)


def case_all_to_all():
    out = [full(-1.0, 2) for _ in range(WORLD)]
    dist.all_to_all(out, [full(10.0 * RANK + i, 2) for i in range(WORLD)])
    same(out[0], [float(RANK)] * 2)
    same(out[1], [10.0 + RANK] * 2)


def case_all_to_all_of_different_sizes():
    mine = [full(10.0 * RANK + i, i + 1) for i in range(WORLD)]
    out = [torch.empty(RANK + 1, device=HERE) for _ in range(WORLD)]
    dist.all_to_all(out, mine)
    same(out[1], [10.0 + RANK] * (RANK + 1))


def case_all_to_all_single():
    out = torch.empty(4, device=HERE)
    dist.all_to_all_single(out, torch.arange(4.0, device=HERE) + 10 * RANK)
    same(out, [[0.0, 1.0, 10.0, 11.0], [2.0, 3.0, 12.0, 13.0]][RANK])
    part = torch.empty([2, 4][RANK], device=HERE)
    source = torch.arange(3.0, device=HERE)
    dist.all_to_all_single(part, source, [[1, 1], [2, 2]][RANK], [1, 2])
    same(part, [[0.0, 0.0], [1.0, 2.0, 1.0, 2.0]][RANK])


def case_send_and_recv():
    if RANK == 0:
        dist.send(full(7.0), 1)
        x = full(0.0)
        assert dist.recv(x, 1) == 1
        same(x, [8.0] * 3)
    else:
        x = full(0.0)
        dist.recv(x, 0)
        same(x, [7.0] * 3)
        dist.send(x + 1, 0)


def case_isend_and_irecv():
    other = 1 - RANK
    x = full(0.0)
    works = [dist.isend(full(float(RANK)), other), dist.irecv(x, other)]
    for work in works:
        work.wait()
    same(x, [float(other)] * 3)


def case_batch_isend_irecv():
    other = 1 - RANK
    x = full(0.0)
    sending = dist.P2POp(dist.isend, full(float(RANK)), other)
    receiving = dist.P2POp(dist.irecv, x, other)
    for work in dist.batch_isend_irecv([sending, receiving]):
        work.wait()
    same(x, [float(other)] * 3)


def case_barrier():
    assert dist.barrier() is None
    assert dist.barrier(device_ids=[LOCAL]) is None
    work = dist.barrier(async_op=True)
    work.wait()
    assert work.is_completed()


def case_objects():
    out = [None] * WORLD
    dist.all_gather_object(out, {"rank": RANK})
    assert out == [{"rank": 0}, {"rank": 1}], out
    words = ["hello", RANK] if RANK == 0 else [None, None]
    dist.broadcast_object_list(words, src=0, device=HERE)
    assert words == ["hello", 0], words
    gathered = [None] * WORLD if RANK == 0 else None
    dist.gather_object(RANK * 2, gathered, dst=0)
    assert gathered == ([0, 2] if RANK == 0 else None), gathered
    mine = [None]
    dist.scatter_object_list(mine, ["a", "b"] if RANK == 0 else None, src=0)
    assert mine == ["ab"[RANK]], mine


def case_tensors_travel_inside_objects():
    out = [None] * WORLD
    dist.all_gather_object(out, full(float(RANK)))
    assert [x.device for x in out] == [torch.device("cuda", i) for i in range(WORLD)], out
    assert [x.tolist() for x in out] == [[0.0] * 3, [1.0] * 3]


def case_subgroups():
    groups = [dist.new_group([0]), dist.new_group([1]), dist.new_group([0, 1], backend="nccl")]
    assert dist.get_backend(groups[2]) == "nccl"
    x = full(float(RANK + 1))
    dist.all_reduce(x, group=groups[RANK])
    same(x, [float(RANK + 1)] * 3)
    dist.all_reduce(x, group=groups[2])
    same(x, [3.0] * 3)


def case_a_gloo_group_beside():
    group = dist.new_group(backend="gloo")
    assert dist.get_backend(group) == "gloo"
    x = torch.ones(2)
    dist.all_reduce(x, group=group)
    assert x.tolist() == [2.0, 2.0]
    y = full(1.0)
    dist.all_reduce(y, group=group)
    same(y, [2.0] * 3)


def case_coalesced():
    from torch.distributed.distributed_c10d import _coalescing_manager

    xs = [full(float(RANK)), full(float(RANK + 1), 2)]
    with _coalescing_manager(device=HERE):
        for x in xs:
            dist.all_reduce(x)
    same(xs[0], [1.0] * 3)
    same(xs[1], [3.0] * 2)
    with _coalescing_manager(device=HERE, async_ops=True) as works:
        for x in xs:
            dist.all_reduce(x)
    works.wait()
    same(xs[0], [2.0] * 3)


def case_coalesced_gather_and_scatter():
    from torch.distributed.distributed_c10d import _coalescing_manager

    outs = [torch.empty(2 * n, device=HERE) for n in (1, 2)]
    with _coalescing_manager(device=HERE):
        for n, out in enumerate(outs, 1):
            dist.all_gather_into_tensor(out, full(float(RANK), n))
    same(outs[1], [0.0, 0.0, 1.0, 1.0])
    parts = [torch.empty(n, device=HERE) for n in (1, 2)]
    with _coalescing_manager(device=HERE):
        for n, part in enumerate(parts, 1):
            dist.reduce_scatter_tensor(part, full(float(RANK + 1), 2 * n))
    same(parts[1], [3.0, 3.0])


def case_a_host_tensor_is_refused():
    fails(
        RuntimeError,
        "No backend type associated with device type cpu",
        lambda: dist.all_reduce(torch.ones(2)),
    )


def case_a_mixture_of_devices_is_refused():
    fails(
        ValueError,
        "Tensors must be CUDA and dense",
        lambda: dist.all_gather([torch.ones(3), torch.ones(3)], full(1.0)),
    )
    elsewhere = torch.ones(3, device=f"cuda:{LOCAL + 2}")
    fails(
        ValueError,
        "Expected list of tensors on the same device",
        lambda: dist.all_gather([elsewhere, full(1.0)], full(1.0)),
    )


def case_the_current_device_serves_barriers_and_objects():
    assert torch.cuda.current_device() == LOCAL
    allocated = torch.cuda.max_memory_allocated(3)
    dist.barrier()
    assert torch.cuda.max_memory_allocated(3) == allocated


def case_monitored_barrier_is_gloos():
    fails(ValueError, "monitored_barrier ", dist.monitored_barrier)


def case_a_device_mesh_gives_groups():
    from torch.distributed.device_mesh import init_device_mesh

    mesh = init_device_mesh("cuda", (WORLD,))
    assert (mesh.get_local_rank(), mesh.size()) == (RANK, WORLD)
    x = full(1.0)
    dist.all_reduce(x, group=mesh.get_group())
    same(x, [2.0] * 3)


def case_differentiable_collectives():
    from torch.distributed.nn import functional

    x = full(float(RANK + 1)).requires_grad_()
    y = functional.all_reduce(x)
    same(y, [3.0] * 3)
    y.sum().backward()
    same(x.grad, [2.0] * 3)


def case_sync_batch_norm_is_that_of_the_whole_batch():
    def net():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 2))

    torch.manual_seed(1)
    x = torch.randn(8, 4)
    plain, synced = net(), nn.SyncBatchNorm.convert_sync_batchnorm(net()).to(HERE)
    assert type(synced[1]) is nn.SyncBatchNorm
    model = DistributedDataParallel(synced, device_ids=[LOCAL])
    out, expected = model(x.chunk(WORLD)[RANK].to(HERE)), plain(x)
    torch.testing.assert_close(out.cpu(), expected.chunk(WORLD)[RANK])
    (out.square().sum() * WORLD).backward()
    expected.square().sum().backward()
    for p, q in zip(synced.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(p.grad.cpu(), q.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(synced[1].running_var.cpu(), plain[1].running_var)
    torch.testing.assert_close(synced[1].running_mean.cpu(), plain[1].running_mean)
    assert int(synced[1].num_batches_tracked) == 1


def case_fully_sharded_data_parallel_trains_like_ddp():
    def losses(wrap):
        torch.manual_seed(2)
        model = wrap(nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)).to(HERE))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        torch.manual_seed(3 + RANK)
        found = []
        for _ in range(4):
            loss = model(torch.randn(8, 4, device=HERE)).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return torch.tensor(found)

    from torch.distributed.fsdp import FullyShardedDataParallel

    sharded = losses(lambda m: FullyShardedDataParallel(m, device_id=LOCAL))
    torch.testing.assert_close(sharded, losses(lambda m: DistributedDataParallel(m, [LOCAL])))


def case_dtensor_is_refused_by_name():
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    from torch.distributed.tensor import DTensor, Shard, distribute_tensor

    mesh = init_device_mesh("cuda", (WORLD,))
    refused = "virtual GPUs do not have %s: DTensor, and with it tensor parallelism and FSDP2"
    for name, use in (
        ("distribute_tensor", lambda: distribute_tensor(torch.ones(4), mesh, [Shard(0)])),
        ("DTensor", lambda: DTensor.from_local(full(1.0), mesh, [Shard(0)])),
        ("fully_shard", lambda: fully_shard(nn.Linear(2, 2).to(HERE))),
    ):
        fails(NotImplementedError, refused % name, use)


def case_functional_collectives_are_refused_by_name():
    from torch.distributed import _functional_collectives as functional

    fails(
        NotImplementedError,
        "virtual GPUs do not have functional collectives (_c10d_functional::all_reduce)",
        lambda: functional.all_reduce(full(1.0), "sum", dist.group.WORLD),
    )


def case_split_group_is_refused_by_name():
    fails(
        NotImplementedError,
        "virtual GPUs do not have torch.distributed.split_group",
        lambda: dist.split_group(split_ranks=[[0], [1]]),
    )


def run(folder):
    torch.cuda.set_device(LOCAL)
    dist.init_process_group("nccl", timeout=timedelta(seconds=20))
    results = {}
    for name, case in [(k, v) for k, v in globals().items() if k.startswith("case_")]:
        try:
            case()
            results[name] = None
        except Exception:
            results[name] = traceback.format_exc()
            sys.stderr.write(f"rank {RANK} {name}\n{results[name]}\n")
    dist.destroy_process_group()
    (Path(folder) / f"{RANK}.json").write_text(json.dumps(results))


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(sys.argv[1])
