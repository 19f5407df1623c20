"""A generator per GPU: equal seeds give equal numbers, and no device moves another."""

from __future__ import annotations

import struct

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint


def test_first_use_is_later_than_seeding() -> None:
    """Runs first in its process."""
    assert torch.cuda.is_available()
    assert torch.cuda.device_count() == 3
    torch.cuda.manual_seed(4)
    assert not torch.cuda.is_initialized()


def test_equal_seeds_give_equal_numbers() -> None:
    torch.cuda.manual_seed_all(7)
    first, second = (torch.randn(4, device=f"cuda:{i}").cpu() for i in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, torch.randn(4, device="cuda:0").cpu())


def test_draws_move_no_other_device() -> None:
    states = torch.cuda.get_rng_state_all()
    host = torch.get_rng_state()
    torch.rand(5, device="cuda:1")
    F.dropout(torch.ones(5, device="cuda:1"))
    after = torch.cuda.get_rng_state_all()
    assert [torch.equal(a, b) for a, b in zip(states, after, strict=True)] == [True, False, True]
    assert torch.equal(host, torch.get_rng_state())


def test_a_state_is_seed_and_offset_alone() -> None:
    torch.cuda.set_rng_state(
        torch.tensor(list(struct.pack("<Qq", 11, 40)), dtype=torch.uint8), "cuda:2"
    )
    generator = torch.cuda.default_generators[2]
    assert (generator.initial_seed(), generator.get_offset()) == (11, 40)
    first = torch.rand(3, device="cuda:2")
    assert generator.get_offset() > 40
    torch.cuda.default_generators[0].manual_seed(11).set_offset(40)
    assert torch.equal(first.cpu(), torch.rand(3, device="cuda:0").cpu())


def test_manual_seed_is_for_the_current_gpu() -> None:
    with torch.cuda.device(1):
        torch.cuda.manual_seed(99)
        assert torch.cuda.initial_seed() == 99
    assert torch.cuda.initial_seed() == 0
    torch.manual_seed(5)
    assert [g.initial_seed() for g in torch.cuda.default_generators] == [5, 5, 5]


def test_numbers_are_spread_as_they_should() -> None:
    x = torch.stack([torch.rand(50, device="cuda") for _ in range(400)])
    assert abs(x.mean().item() - 0.5) < 0.01
    assert abs(x.var().item() - 1 / 12) < 0.005
    assert len({tuple(row) for row in x.tolist()}) == 400


@pytest.mark.parametrize("devices", [[0], [0, 1], [2]])
def test_forks_restore_their_devices_alone(devices: list[int]) -> None:
    before = torch.cuda.get_rng_state_all()
    with torch.random.fork_rng(devices=devices):
        for gpu in range(3):
            torch.rand(1, device=f"cuda:{gpu}")
    after = torch.cuda.get_rng_state_all()
    kept = [gpu for gpu in range(3) if torch.equal(before[gpu], after[gpu])]
    assert kept == devices


def test_generators_count_for_themselves() -> None:
    g = torch.Generator("cuda:1").manual_seed(3)
    first = torch.normal(0.0, 1.0, (3,), device="cuda:1", generator=g)
    assert g.get_offset() == 4
    again = torch.Generator("cuda:2").manual_seed(3)
    second = torch.normal(0.0, 1.0, (3,), device="cuda:2", generator=again)
    assert torch.equal(first.cpu(), second.cpu())
    g.set_offset(0)
    assert torch.equal(first, torch.normal(0.0, 1.0, (3,), device="cuda:1", generator=g))
    assert torch.cuda.default_generators[1].get_offset() == 0


def gradients(*, again: bool) -> list[torch.Tensor]:
    torch.manual_seed(3)
    first = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Tanh()).to("cuda:1")
    second = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5)).to("cuda:2")
    x = torch.ones(4, 8, device="cuda:1", requires_grad=True)

    def both(y: torch.Tensor) -> torch.Tensor:
        return second(first(y).to("cuda:2"))

    # The GPUs whose states are kept are those of the arguments: the second's is named by one.
    def run(y: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return both(y)

    there = torch.zeros(1, device="cuda:2")
    out = checkpoint(run, x, there, use_reentrant=False) if again else both(x)
    out.sum().backward()
    return [p.grad.cpu() for p in (x, *first.parameters(), *second.parameters())]


def test_checkpointed_dropout_on_two_gpus() -> None:
    plain, again = gradients(again=False), gradients(again=True)
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))


def test_the_cpus_generator_is_its_own() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    torch.rand(9, device="cuda")
    nn.Dropout()(torch.ones(3, device="cuda"))
    assert torch.equal(torch.rand(3), expected)
    torch.cuda.manual_seed_all(8)
    assert torch.initial_seed() == 1
