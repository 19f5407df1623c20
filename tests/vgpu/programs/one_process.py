"""One process, several GPUs: data, model and pipeline parallelism; needs 8 GPUs.

Usage: one_process.py FILE. A case is a function `case_*()` that compares with the same work on the
CPU or on one GPU; FILE gets {case: traceback or null} as JSON.
"""

import json
import queue
import sys
import threading
import traceback
import warnings
from pathlib import Path

import torch
from torch import nn

CPU = torch.device("cpu")


def gpu(index):
    return torch.device("cuda", index)


def step(model, x, y, loss_fn=nn.functional.mse_loss):
    """The loss and all gradients of one batch, on the CPU."""
    model.zero_grad()
    out = model(x)
    loss = loss_fn(out, y.to(out.device))
    loss.backward()
    return [loss.detach().cpu(), *(p.grad.cpu() for p in model.parameters())]


def close(some, others):
    return all(torch.allclose(a, b, atol=1e-6) for a, b in zip(some, others, strict=True))


def equal(some, others):
    return all(map(torch.equal, some, others))


# ---------------------------------------------------------------------- DataParallel


class Net(nn.Module):
    """Takes a dict, a keyword and a flag that is no tensor, and answers with a tuple."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Linear(8, 16)
        self.inner = nn.Sequential(nn.ReLU(), nn.Linear(16, 16), nn.Tanh())
        self.last = nn.Linear(16, 4)
        self.register_buffer("scale", torch.tensor(0.5))
        self.seen = []

    def forward(self, batch, *, shift, double=True):
        x = batch["x"]
        self.seen.append(
            (
                len(x),
                x.device,
                next(iter(self.first._former_parameters.values())).device
                if hasattr(self.first, "_former_parameters")
                else x.device,
            )
        )
        y = self.last(self.inner(self.first(x))) * self.scale + shift
        return (y * 2 if double else y), y.sum(dim=1)


def data_parallel(gpus, sizes, batch=64):
    torch.manual_seed(1)
    x, shift, y = torch.randn(batch, 8), torch.randn(batch, 4), torch.randn(batch, 4)

    def loss_of(model, device):
        model.zero_grad()
        out, sums = model({"x": x.to(device)}, shift=shift.to(device))
        assert out.device == sums.device == device
        loss = nn.functional.mse_loss(out, y.to(device)) + sums.mean()
        loss.backward()
        return [
            loss.detach().cpu(),
            out.detach().cpu(),
            *(p.grad.cpu() for p in model.parameters()),
        ]

    net = Net().to(gpu(0))
    parallel = nn.DataParallel(net, device_ids=list(range(gpus)))
    found = loss_of(parallel, gpu(0))
    rows = sorted(net.seen, key=lambda row: row[1].index)
    assert rows == [(n, gpu(i), gpu(i)) for i, n in enumerate(sizes)], rows
    assert close(found, loss_of(Net(), CPU))
    assert close(found, loss_of(Net().to(gpu(0)), gpu(0)))


def case_data_parallel_on_2():
    data_parallel(2, [32, 32])


def case_data_parallel_on_3():
    data_parallel(3, [22, 22, 20])


def case_data_parallel_on_5():
    data_parallel(5, [13, 13, 13, 13, 12])


def case_data_parallel_on_8():
    data_parallel(8, [8] * 8)


def case_data_parallel_with_fewer_samples_than_gpus():
    data_parallel(8, [1, 1, 1], batch=3)


def case_data_parallel_trains_like_one_gpu():
    def losses(wrap):
        model = wrap(Net().to(gpu(0)))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        torch.manual_seed(2)
        found = []
        for _ in range(5):
            x, y = torch.randn(24, 8), torch.randn(24, 4)
            out, _sums = model({"x": x.cuda()}, shift=torch.zeros(24, 4).cuda(), double=False)
            loss = nn.functional.mse_loss(out, y.cuda())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return torch.tensor(found)

    assert torch.allclose(losses(lambda m: m), losses(lambda m: nn.DataParallel(m, [0, 1, 2])))


def case_data_parallel_batch_norm_keeps_the_first_replicas_buffers():
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).to(gpu(0))
    x = torch.randn(10, 4)
    nn.DataParallel(net, [0, 1])(x.to(gpu(0)))
    alone = nn.BatchNorm1d(4)
    alone(net[0].cpu()(x[:5]))
    assert torch.allclose(net[1].running_mean.cpu(), alone.running_mean, atol=1e-6)
    assert int(net[1].num_batches_tracked) == 1


def case_data_parallel_gathers_scalars_with_a_warning():
    class Loss(nn.Module):
        def forward(self, x):
            return x.mean()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        out = nn.DataParallel(Loss(), [0, 1])(torch.arange(4.0, device="cuda"))
    assert out.tolist() == [0.5, 2.5]
    assert "all input tensors were scalars" in str(caught[-1].message)


def message(kind, function):
    try:
        function()
    except kind as error:
        return str(error)
    return "no error"


def case_data_parallel_refuses_a_module_elsewhere():
    wrong = nn.DataParallel(nn.Linear(2, 2).to(gpu(1)), [0, 1])
    assert message(RuntimeError, lambda: wrong(torch.ones(4, 2, device="cuda"))) == (
        "module must have its parameters and buffers on device cuda:0 (device_ids[0]) "
        "but found one of them on device: cuda:1"
    )


def case_data_parallel_reports_the_replica_that_fails():
    class Fails(nn.Module):
        def forward(self, x):
            if x.device.index == 1:
                raise ValueError("no")
            return x

    parallel = nn.DataParallel(Fails(), [0, 1])
    text = message(ValueError, lambda: parallel(torch.ones(4, 2, device="cuda")))
    assert text.startswith("Caught ValueError in replica 1 on device 1."), text


def case_functional_parts():
    from torch.nn.parallel import comm, data_parallel, gather, parallel_apply, replicate, scatter

    net = nn.Linear(3, 2).to(gpu(0))
    x = torch.arange(12.0).view(4, 3)
    parts = scatter(x, [0, 2])
    assert [p.device.index for p in parts] == [0, 2]
    outputs = parallel_apply(replicate(net, [0, 2]), [(p,) for p in parts])
    out = gather(outputs, 2)
    assert out.device == gpu(2)
    assert torch.allclose(out.cpu(), net.cpu()(x))
    net.to(gpu(0))
    assert torch.allclose(data_parallel(net, x.to(gpu(0)), [0, 1]).cpu(), out.cpu())
    copies = comm.broadcast(torch.ones(2, device="cuda"), [0, 1, 2])
    assert [c.device.index for c in copies] == [0, 1, 2]
    assert comm.reduce_add(list(copies), 0).tolist() == [3.0, 3.0]
    uneven = comm.scatter(x, [0, 1], chunk_sizes=[1, 3])
    assert [len(u) for u in uneven] == [1, 3]
    assert torch.equal(comm.gather(uneven, 0, "cpu"), x)
    assert comm.gather(uneven, 0).device == gpu(0)


# ---------------------------------------------------------------------- ResNet over GPUs


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x):
        return torch.relu(x + self.body(x))


class ResNet(nn.Module):
    """Its stages are on the devices given; `micro` splits the batch and overlaps the stages."""

    def __init__(self, devices, micro=0):
        super().__init__()
        torch.manual_seed(4)
        stages = [
            nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Residual(8)),
            nn.Sequential(Residual(8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 4)),
        ]
        self.devices, self.micro = devices, micro
        self.stages = nn.ModuleList(s.to(d) for s, d in zip(stages, devices, strict=True))

    def forward(self, x):
        if not self.micro:
            return self.stages[1](self.stages[0](x.to(self.devices[0])).to(self.devices[1]))
        done, waiting = [], None
        for part in x.split(self.micro):
            ahead = self.stages[0](part.to(self.devices[0])).to(self.devices[1])
            if waiting is not None:
                done.append(self.stages[1](waiting))
            waiting = ahead
        return torch.cat([*done, self.stages[1](waiting)])


def resnet(micro):
    torch.manual_seed(5)
    x, y = torch.randn(8, 3, 8, 8), torch.randint(0, 4, (8,))
    found = []
    for devices in ([CPU, CPU], [gpu(0), gpu(0)], [gpu(0), gpu(1)], [gpu(5), gpu(2)]):
        model = ResNet(devices, micro)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        values = []
        for _ in range(3):
            values += step(model, x, y, nn.functional.cross_entropy)
            optimizer.step()
        found.append(values + [b.cpu() for b in model.buffers()])
    assert all(equal(found[0], others) for others in found[1:])


def case_model_parallel_resnet():
    resnet(0)


def case_pipelined_resnet():
    resnet(2)


# ---------------------------------------------------------------------- threads


class Worker:
    """A thread of one GPU that does tasks in order."""

    def __init__(self, device):
        self.device, self.tasks, self.results = device, queue.Queue(), queue.Queue()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while (task := self.tasks.get()) is not None:
            with torch.cuda.device(self.device):
                assert torch.cuda.current_device() == self.device.index
                try:
                    self.results.put((task(), None))
                except Exception as error:
                    self.results.put((None, error))


def clock_cycles(batches, stages):
    """(batch, stage) pairs that may run at the same time, cycle by cycle."""
    for cycle in range(batches + stages - 1):
        first, last = max(0, cycle - batches + 1), min(cycle, stages - 1)
        yield [(cycle - stage, stage) for stage in range(first, last + 1)]


def case_clock_cycle_pipeline_with_a_thread_per_gpu():
    torch.manual_seed(6)
    layers = nn.Sequential(*(nn.Sequential(nn.Linear(8, 8), nn.Tanh()) for _ in range(3)))
    x, y = torch.randn(12, 8), torch.randn(12, 8)

    def run(device_of, workers):
        for stage, layer in enumerate(layers):
            layer.to(device_of(stage))
        layers.zero_grad()
        parts = list(x.split(3))
        for cycle in clock_cycles(len(parts), len(layers)):
            for i, j in cycle:
                moved = parts[i].to(device_of(j))
                workers[j].tasks.put(lambda j=j, moved=moved: layers[j](moved))
            for i, j in cycle:
                parts[i], error = workers[j].results.get()
                if error is not None:
                    raise error
        loss = nn.functional.mse_loss(torch.cat(parts), y.to(device_of(2)))
        loss.backward()
        return [loss.detach().cpu(), *(p.grad.cpu() for p in layers.parameters())]

    workers = [Worker(gpu(i)) for i in range(3)]
    on_gpus = run(gpu, workers)
    on_the_host = run(lambda _stage: CPU, workers)
    for worker in workers:
        worker.tasks.put(None)
    assert equal(on_gpus, on_the_host)
    assert torch.cuda.current_device() == 0


def case_threads_on_separate_gpus():
    torch.manual_seed(7)
    x = torch.randn(32, 8)
    models = [nn.Linear(8, 8) for _ in range(4)]
    expected = [step(m, x, torch.zeros(32, 8)) for m in models]
    found = [None] * 4

    def work(i):
        torch.cuda.set_device(i)
        found[i] = step(models[i].cuda(), x.cuda(), torch.zeros(32, 8))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [next(m.parameters()).device.index for m in models] == [0, 1, 2, 3]
    assert all(map(equal, found, expected))


def run(path):
    results = {}
    for name, case in [(k, v) for k, v in globals().items() if k.startswith("case_")]:
        torch.cuda.set_device(0)
        try:
            results[name] = case()
        except Exception:
            results[name] = traceback.format_exc()
    Path(path).write_text(json.dumps(results))


if __name__ == "__main__":
    torch.set_num_threads(1)
    run(sys.argv[1])
