"""Where training meets the rest of a program: files, copies, loaders, threads."""

from __future__ import annotations

import copy
import threading
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


def test_a_checkpoint_of_the_cpu_is_read_onto_a_gpu(tmp_path: Path) -> None:
    layer = nn.Linear(3, 3)
    torch.save(layer.state_dict(), tmp_path / "layer.pt")
    for mmap in (False, True):
        state = torch.load(
            tmp_path / "layer.pt", map_location="cuda:2", weights_only=True, mmap=mmap
        )
        assert [str(t.device) for t in state.values()] == ["cuda:2", "cuda:2"]
        assert torch.equal(state["weight"].cpu(), layer.weight)


def test_a_checkpoint_of_two_gpus_is_read_onto_the_cpu(tmp_path: Path) -> None:
    state = {"a": torch.arange(3.0, device="cuda:1"), "b": torch.ones(2, device="cuda:3")}
    torch.save(state, tmp_path / "state.pt")
    read = torch.load(tmp_path / "state.pt", weights_only=True)
    assert [str(t.device) for t in read.values()] == ["cuda:1", "cuda:3"]
    read = torch.load(tmp_path / "state.pt", map_location="cpu", weights_only=True)
    assert [str(t.device) for t in read.values()] == ["cpu", "cpu"]
    assert read["a"].tolist() == [0.0, 1.0, 2.0]
    read = torch.load(tmp_path / "state.pt", map_location={"cuda:1": "cuda:0"}, weights_only=True)
    assert [str(t.device) for t in read.values()] == ["cuda:0", "cuda:3"]


def test_state_goes_round_by_the_cpu() -> None:
    first, second = nn.Linear(3, 3).to("cuda:1"), nn.Linear(3, 3).to("cuda:4")
    second.load_state_dict({name: t.cpu() for name, t in first.state_dict().items()})
    assert str(second.weight.device) == "cuda:4"
    assert torch.equal(second.weight.cpu(), first.weight.cpu())


def test_a_deep_copy_keeps_what_is_shared() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)).to("cuda:1")
    model[1].weight = model[0].weight
    model(torch.ones(1, 3, device="cuda:1")).sum().backward()
    twin = copy.deepcopy(model)
    assert twin[0].weight is twin[1].weight
    assert twin[0].weight is not model[0].weight
    assert torch.equal(twin[0].weight.grad, model[0].weight.grad)
    with torch.no_grad():
        twin[0].weight.zero_()
    assert model[0].weight.abs().sum().item() > 0


def test_workers_load_pinned_batches() -> None:
    data = TensorDataset(torch.arange(8.0))
    batches = [x for (x,) in DataLoader(data, batch_size=4, num_workers=2, pin_memory=True)]
    assert [batch.is_pinned() for batch in batches] == [True, True]
    moved = [batch.to("cuda:1", non_blocking=True) for batch in batches]
    assert torch.cat(moved).tolist() == list(range(8))


def _train(place: str) -> Tensor:
    layer = nn.Linear(3, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.eye(3))
        layer.bias.zero_()
    layer.to(place)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, foreach=True)
    for i in range(5):
        optimizer.zero_grad()
        layer(torch.full((2, 3), float(i), device=place)).pow(2).sum().backward()
        optimizer.step()
    return layer.weight.detach().cpu()


def test_threads_train_each_on_its_gpu() -> None:
    found: dict[int, Tensor] = {}

    def work(gpu: int) -> None:
        torch.cuda.set_device(gpu)
        found[gpu] = _train("cuda")

    threads = [threading.Thread(target=work, args=(gpu,)) for gpu in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    expected = _train("cpu")
    assert sorted(found) == [0, 1, 2, 3]
    assert all(torch.equal(weight, expected) for weight in found.values())
