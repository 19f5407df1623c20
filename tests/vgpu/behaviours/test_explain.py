"""The explanation beside CUDA's words: the line, its tensors, the fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from grader.vgpu import explain


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(4, 4).to("cuda:0")
        self.fc2 = nn.Linear(4, 3).to("cuda:1")

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.fc1(x))
        return self.fc2(x)


def told(call: Callable[[], Any]) -> list[str]:
    """The explanation without the place: the text of the line, then what is said of it."""
    with pytest.raises((RuntimeError, TypeError, AssertionError)) as caught:
        call()
    assert "vgpu:" not in str(caught.value)
    hint = explain.hint(caught.value)
    assert hint is not None
    place, *rest = hint.split("\n")
    assert place.startswith(f"vgpu: {__file__}:")
    return [place.split(": ", 2)[2], *(line.strip() for line in rest)]


def test_data_for_a_layer_on_another_gpu() -> None:
    assert told(lambda: Net()(torch.ones(2, 4, device="cuda:0"))) == [
        "return self.fc2(x)",
        "self.fc2 is on cuda:1, x is on cuda:0.",
        'Fix: x = x.to("cuda:1")',
    ]


def test_labels_left_on_the_first_gpu() -> None:
    def step() -> None:
        criterion = nn.CrossEntropyLoss()
        output = torch.zeros(2, 3, device="cuda:4")
        target = torch.tensor([0, 1], device="cuda:0")
        criterion(output, target)

    assert told(step) == [
        "criterion(output, target)",
        "output is on cuda:4, target is on cuda:0.",
        "Fix: target = target.to(output.device)",
    ]


def test_a_batch_on_the_cpu() -> None:
    def step() -> None:
        batch = {"x": torch.ones(2, 4), "y": torch.ones(2, 4, device="cuda:2")}
        loss = batch["x"] - batch["y"]
        loss.sum()

    assert told(step) == [
        'loss = batch["x"] - batch["y"]',
        'batch["x"] is on cpu, batch["y"] is on cuda:2.',
        'Fix: batch["x"] = batch["x"].to(batch["y"].device)',
    ]


def test_a_model_left_on_the_cpu() -> None:
    def step() -> None:
        model = nn.Linear(4, 2)
        x = torch.ones(2, 4, device="cuda:3")
        model(x)

    assert told(step) == [
        "model(x)",
        "model is on cpu, x is on cuda:3.",
        'Fix: model.to("cuda:3"), once, where the model is made',
    ]


def test_a_sequential_over_two_gpus() -> None:
    def step() -> None:
        layers = nn.Sequential(nn.Linear(2, 2).to("cuda:0"), nn.Linear(2, 2).to("cuda:1"))
        layers(torch.ones(1, 2, device="cuda:0"))

    assert told(step) == [
        'layers(torch.ones(1, 2, device="cuda:0"))',
        "layers has layers on cuda:0 and cuda:1; it stopped in 1.",
        "Fix: call the layers one by one, and move the data before the first of another GPU: "
        'x = x.to("cuda:1")',
    ]


def test_a_recurrent_layer_inside_a_model() -> None:
    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.LSTM(2, 2).cuda(1)

        def forward(self, words: Tensor) -> Tensor:
            return self.rnn(words)[0]

    assert told(lambda: Reader()(torch.ones(1, 1, 2, device="cuda:0"))) == [
        "return self.rnn(words)[0]",
        "self.rnn is on cuda:1, words is on cuda:0.",
        'Fix: words = words.to("cuda:1")',
    ]


def test_a_list_over_gpus() -> None:
    def step() -> None:
        parts = [torch.ones(2, device=f"cuda:{gpu}") for gpu in range(3)]
        torch.cat(parts)

    assert told(step) == [
        "torch.cat(parts)",
        "parts is spread over cuda:0, cuda:1 and cuda:2.",
        'Fix: parts = [t.to("cuda:0") for t in parts]',
    ]


def test_a_line_that_says_nothing() -> None:
    assert told(lambda: torch.ones(2, device="cuda:0") + torch.ones(2))[1:] == [
        "One op needs all its tensors on one device. Fix: move what is elsewhere: "
        "a = a.to(b.device)"
    ]


def test_in_place() -> None:
    def step() -> None:
        total = torch.zeros(())
        loss = torch.ones((), device="cuda:0")
        total += loss

    assert told(step) == [
        "total += loss",
        "total is on cpu, loss is on cuda:0.",
        "Fix: total = total.to(loss.device)",
    ]


def test_properties_of_a_script_are_not_run() -> None:
    class Holder:
        ran = 0

        @property
        def y(self) -> Tensor:
            Holder.ran += 1
            return torch.ones(2, device="cuda:1")

    def step() -> None:
        holder = Holder()
        x = torch.ones(2, device="cuda:0")
        torch.add(x, holder.y)

    assert told(step)[1].startswith("One op needs all its tensors on one device.")
    assert Holder.ran == 1


def test_a_gpu_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    fix = (
        "Fix: take the number from torch.cuda.device_count(), or ask for more: vgpu -n 8 script.py"
    )
    said = "There are 5 GPUs, cuda:0 to cuda:4. This line asks for cuda:7."
    assert told(lambda: nn.Linear(2, 2).to("cuda:7"))[1:] == [said, fix]
    assert told(lambda: torch.cuda.get_device_properties(7))[1:] == [said, fix]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3,4")
    assert told(lambda: torch.zeros(1, device="cuda:7"))[1] == (
        "There are 5 GPUs, cuda:0 to cuda:4 (CUDA_VISIBLE_DEVICES=0,1,2,3,4). This line asks for "
        "cuda:7."
    )


def test_a_full_gpu() -> None:
    keep = torch.ones(1 << 20, device="cuda:3")
    hint = told(lambda: torch.empty(1 << 40, device="cuda:2"))
    assert hint[1].startswith("This needs 4096.00 GiB more on cuda:2, of 80.00 GiB. In use now: ")
    assert "cuda:3 4.00 MiB" in hint[1]
    assert hint[3] == "To try a larger GPU: vgpu --memory 141GB script.py"
    assert keep.sum().item() == 1 << 20


def test_numpy() -> None:
    def plot() -> None:
        losses = torch.ones(2, device="cuda:0", requires_grad=True)
        losses.numpy()

    assert told(plot) == [
        "losses.numpy()",
        "NumPy (and matplotlib, pandas) read the CPU's memory only.",
        "Fix: losses.detach().cpu().numpy()",
    ]


def test_a_class_too_many() -> None:
    def step() -> None:
        output = torch.zeros(2, 3, device="cuda:1")
        nn.functional.cross_entropy(output, torch.tensor([0, 7], device="cuda:1"))

    assert told(step)[1:3] == [
        "An index is out of range: Target 7 is out of bounds.",
        "Class numbers go from 0 to classes - 1, row numbers from 0 to rows - 1; print min() and "
        "max() of the indices.",
    ]


def test_a_gradient_from_elsewhere() -> None:
    def step() -> None:
        loss = torch.ones(3, device="cuda:1", requires_grad=True) * 2
        loss.backward(torch.ones(3))

    assert told(step)[:2] == [
        "loss.backward(torch.ones(3))",
        "A gradient must be where its tensor is.",
    ]


def test_other_errors_are_left_alone() -> None:
    x = torch.ones(3, 4, device="cuda:0")
    with pytest.raises(RuntimeError) as caught:
        x @ x
    assert explain.hint(caught.value) is None
    with pytest.raises(RuntimeError, match="Input type") as types:
        nn.Conv2d(1, 1, 1).cuda().half()(torch.ones(1, 1, 2, 2, device="cuda:0"))
    assert explain.hint(types.value) is None


def test_an_error_is_explained_once() -> None:
    with pytest.raises(RuntimeError) as caught:
        Net()(torch.ones(2, 4, device="cuda:0"))
    assert len(caught.value.__notes__) == 1


def test_an_explanation_holds_no_memory() -> None:
    """A script that catches the error and deletes its tensors has its memory back."""
    before = torch.cuda.memory_allocated(3)
    x = torch.ones(1 << 20, device="cuda:3")
    hint = None
    try:
        torch.cat([x, torch.ones(2)])
    except RuntimeError as error:
        hint = explain.hint(error)
    del x
    assert hint is not None
    assert torch.cuda.memory_allocated(3) == before


def test_a_script_keeps_its_locals() -> None:
    x = torch.ones(2, device="cuda:3")
    mine = locals()
    with pytest.raises(RuntimeError):
        torch.cat([x, torch.ones(2)])
    assert mine["x"] is x
