"""torch.save and torch.load keep devices, and map_location changes them."""

from __future__ import annotations

import gc
import io
import pickle

import pytest
import torch
from torch import nn

D = torch.device


def saved() -> io.BytesIO:
    model = nn.Sequential(nn.Linear(3, 3).to("cuda:1"), nn.Linear(3, 3).to("cuda:2"))
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "t": torch.arange(2.0, device="cuda:4")}, file)
    file.seek(0)
    return file


WHERE = {
    "as saved": (None, "cuda:1", "cuda:4"),
    "cpu": ("cpu", "cpu", "cpu"),
    "one gpu": ("cuda:3", "cuda:3", "cuda:3"),
    "device": (D("cuda:0"), "cuda:0", "cuda:0"),
    "mapping": ({"cuda:1": "cuda:0"}, "cuda:0", "cuda:4"),
    "function": (lambda storage, location: storage, "cpu", "cpu"),
}


@pytest.mark.parametrize("case", WHERE)
def test_loading(case: str) -> None:
    location, first, last = WHERE[case]
    data = torch.load(saved(), map_location=location)
    assert str(data["model"]["0.weight"].device) == first
    assert (str(data["t"].device), data["t"].tolist()) == (last, [0.0, 1.0])


def test_whole_modules() -> None:
    model = nn.Linear(3, 3).to("cuda:2")
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    again = torch.load(file, weights_only=False)
    assert isinstance(again.weight, nn.Parameter)
    assert again.weight.device == D("cuda:2")
    assert torch.equal(again.weight, model.weight)


def test_shared_storage_stays_shared() -> None:
    x = torch.zeros(1024, device="cuda:3")
    file = io.BytesIO()
    torch.save([x, x[:10]], file)
    del x
    gc.collect()  # torch 2.9's save leaves a cycle behind
    file.seek(0)
    a, b = torch.load(file)
    b.add_(1)
    assert a.sum().item() == 10
    assert torch.cuda.memory_allocated(3) == 4096


def test_optimizer_state() -> None:
    layer = nn.Linear(2, 2).cuda(1)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2).cuda(1)).sum().backward()
    optimizer.step()
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = nn.Linear(2, 2).cuda(3)
    fresh = torch.optim.Adam(other.parameters())
    fresh.load_state_dict(torch.load(file, map_location="cpu"))
    state = fresh.state[other.weight]["exp_avg"]
    assert state.device == D("cuda:3")
    assert torch.equal(state.cpu(), optimizer.state[layer.weight]["exp_avg"].cpu())


def test_pickle() -> None:
    x = torch.arange(3.0, device="cuda:2")
    again = pickle.loads(pickle.dumps(x))
    assert (again.device, again.tolist()) == (D("cuda:2"), [0, 1, 2])


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        torch.load(saved(), map_location="cuda:6")
