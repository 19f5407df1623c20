"""Generators of GPUs while one stream of numbers serves all: states, seeds, replay."""

from __future__ import annotations

import copy
import io
import pickle
import struct

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def place(state: torch.Tensor) -> tuple[int, int]:
    seed, offset = struct.unpack("<Qq", bytes(state.tolist()))
    return seed, offset


def test_a_state_is_a_seed_and_an_offset() -> None:
    torch.manual_seed(41)
    state = torch.cuda.get_rng_state(3)
    assert (state.shape, state.dtype, state.device.type) == ((16,), torch.uint8, "cpu")
    assert place(state) == (41, 0)
    torch.rand(2, device="cuda:3")
    seed, offset = place(torch.cuda.get_rng_state(3))
    assert seed == torch.cuda.initial_seed() == 41
    assert offset > 0
    assert offset % 4 == 0


def test_states_at_one_point_are_equal() -> None:
    torch.rand(3, device="cuda")
    first, second = torch.cuda.get_rng_state(0), torch.cuda.get_rng_state(0)
    assert torch.equal(first, second)
    torch.rand(3, device="cuda")
    assert not torch.equal(first, torch.cuda.get_rng_state(0))


def test_a_copied_state_replays() -> None:
    torch.rand(5, device="cuda:2")
    state = torch.cuda.get_rng_state(2).clone()
    first = torch.randn(4, device="cuda:2")
    torch.rand(9)
    torch.cuda.set_rng_state(state, "cuda:2")
    assert torch.equal(first, torch.randn(4, device="cuda:2"))
    assert torch.equal(torch.cuda.set_rng_state(state, 2) or torch.cuda.get_rng_state(2), state)


def test_a_saved_state_carries_its_snapshot() -> None:
    from grader.vgpu import random_states

    torch.rand(5, device="cuda")
    file = io.BytesIO()
    torch.save(torch.cuda.get_rng_state_all(), file)
    first = torch.rand(4, device="cuda:1")
    random_states._snapshots.clear()  # as in a process that starts from the file
    file.seek(0)
    torch.cuda.set_rng_state_all(torch.load(file))
    assert torch.equal(first, torch.rand(4, device="cuda:1"))


def test_an_unknown_state_starts_one_stream() -> None:
    state = torch.tensor(list(struct.pack("<Qq", 5, 4096)), dtype=torch.uint8)
    torch.cuda.set_rng_state(state)
    assert torch.equal(torch.cuda.get_rng_state(), state)
    first = torch.rand(3, device="cuda")
    torch.manual_seed(1)
    torch.cuda.set_rng_state(state)
    assert torch.equal(first, torch.rand(3, device="cuda"))
    torch.manual_seed(5)
    assert not torch.equal(first, torch.rand(3, device="cuda"))


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(RuntimeError, match="RNG state is wrong size"):
        torch.cuda.set_rng_state(torch.get_rng_state())
    with pytest.raises(TypeError, match=r"RNG state must be a torch\.ByteTensor"):
        torch.cuda.set_rng_state(torch.zeros(16))
    with pytest.raises(TypeError, match=r"expected a torch\.ByteTensor, but got int"):
        torch.Generator("cuda").set_state(3)  # type: ignore[arg-type]


def test_forks_leave_no_trace() -> None:
    with torch.random.fork_rng(devices=[1, 4]):
        inside = torch.rand(3, device="cuda:4")
    outside = torch.rand(3, device="cuda:4")
    torch.manual_seed(0)
    assert torch.equal(inside, outside)
    assert torch.equal(torch.rand(3, device="cuda:1").cpu(), inside.cpu())


def test_the_default_generators() -> None:
    assert len(torch.cuda.default_generators) == 5
    one = torch.cuda.default_generators[1]
    assert one.device == torch.device("cuda:1")
    one.manual_seed(77)
    assert torch.cuda.initial_seed() == one.initial_seed() == 77
    first = torch.rand(2, device="cuda:1", generator=one)
    torch.manual_seed(77)
    assert torch.equal(first.cpu(), torch.rand(2))
    assert [g.device.index for g in torch.cuda.default_generators] == [0, 1, 2, 3, 4]
    with pytest.raises(IndexError, match="tuple index out of range"):
        torch.cuda.default_generators[5]


def test_a_generator_has_numbers_of_its_own() -> None:
    g = torch.Generator(device="cuda:1").manual_seed(9)
    before = torch.cuda.get_rng_state(1)
    first = torch.randn(3, device="cuda:1", generator=g)
    assert torch.equal(before, torch.cuda.get_rng_state(1))
    assert g.initial_seed() == 9
    assert torch.equal(first.cpu(), torch.randn(3, generator=torch.Generator().manual_seed(9)))
    torch.manual_seed(123)
    second = torch.randn(3, device="cuda:1", generator=g)
    assert not torch.equal(first, second)
    g.manual_seed(9)
    assert torch.equal(first, torch.randn(3, device="cuda:1", generator=g))


def test_every_way_to_draw_takes_a_generator() -> None:
    here, there = torch.Generator().manual_seed(3), torch.Generator("cuda:2").manual_seed(3)
    p, q = torch.rand(4, 6), torch.rand(4, 6)
    x, y = p.to("cuda:2"), q.to("cuda:2")
    pairs = [
        (torch.randperm(9, generator=here), torch.randperm(9, generator=there, device="cuda:2")),
        (torch.multinomial(p, 3, generator=here), torch.multinomial(x, 3, generator=there)),
        (torch.bernoulli(p, generator=here), torch.bernoulli(x, generator=there)),
        (q.normal_(1, 2, generator=here), y.normal_(1, 2, generator=there)),
        (q.uniform_(generator=here), y.uniform_(generator=there)),
        (q.exponential_(generator=here), y.exponential_(generator=there)),
        (q.random_(0, 50, generator=here), y.random_(0, 50, generator=there)),
        (torch.normal(p, 0.5, generator=here), torch.normal(x, 0.5, generator=there)),
        (torch.binomial(p * 9 // 1, p, here), torch.binomial(x * 9 // 1, x, there)),
        (torch.poisson(p, generator=here), torch.poisson(x, generator=there)),
        (
            torch.randint(0, 99, (5,), generator=here),
            torch.randint(0, 99, (5,), generator=there, device="cuda:2"),
        ),
    ]
    for on_cpu, on_gpu in pairs:
        assert on_gpu.device == torch.device("cuda:2")
        assert torch.equal(on_cpu, on_gpu.cpu())


def test_a_generator_of_the_wrong_device_is_refused() -> None:
    cpu, gpu = torch.Generator(), torch.Generator("cuda:1")
    message = "Expected a 'cuda' device type for generator but found 'cpu'"
    for draw in (
        lambda: torch.randn(2, device="cuda:1", generator=cpu),
        lambda: torch.randperm(4, device="cuda:1", generator=cpu),
        lambda: torch.zeros(2, device="cuda:1").normal_(generator=cpu),
        lambda: torch.bernoulli(torch.rand(2, device="cuda:1"), generator=cpu),
        lambda: torch.multinomial(torch.rand(2, device="cuda:1"), 1, generator=cpu),
    ):
        with pytest.raises(RuntimeError) as caught:
            draw()
        assert str(caught.value) == message
    for make in (
        lambda: torch.randn(2, generator=gpu),
        lambda: torch.randperm(4, generator=gpu, device="cpu"),
    ):
        with pytest.raises(RuntimeError) as caught:
            make()
        assert str(caught.value) == "Expected a 'cpu' device type for generator but found 'cuda'"


def test_states_of_a_generator() -> None:
    g = torch.Generator("cuda:1").manual_seed(2)
    assert g.get_offset() == 0
    torch.rand(3, device="cuda:1", generator=g)
    state, clone = g.get_state(), g.clone_state()
    assert place(state) == (g.initial_seed(), g.get_offset())
    first = torch.rand(3, device="cuda:1", generator=g)
    assert torch.equal(first, torch.rand(3, device="cuda:1", generator=clone))
    g.set_state(state)
    assert torch.equal(first, torch.rand(3, device="cuda:1", generator=g))
    g.set_offset(0)
    assert torch.equal(g.get_state(), torch.Generator("cuda:1").manual_seed(2).get_state())
    with pytest.raises(RuntimeError, match="offset must be a multiple of 4"):
        g.set_offset(3)


def test_generators_can_share_a_state() -> None:
    g, h = torch.Generator("cuda:1").manual_seed(6), torch.Generator("cuda:1")
    h.graphsafe_set_state(g.graphsafe_get_state())
    torch.rand(3, device="cuda:1", generator=g)
    assert torch.equal(g.get_state(), h.get_state())
    assert g.get_offset() == h.get_offset() > 0


def test_generators_are_copied_and_pickled() -> None:
    g = torch.Generator("cuda:4").manual_seed(8)
    torch.rand(3, device="cuda:4", generator=g)
    twins = [copy.deepcopy(g), pickle.loads(pickle.dumps(g))]
    first = torch.rand(3, device="cuda:4", generator=g)
    for twin in twins:
        assert twin.device == torch.device("cuda:4")
        assert torch.equal(first, torch.rand(3, device="cuda:4", generator=twin))


def test_seed_is_new_each_time() -> None:
    g = torch.Generator("cuda:1")
    assert g.initial_seed() == torch.Generator("cuda:2").initial_seed() == 67280421310721
    assert g.seed() == g.initial_seed() != g.seed()
    torch.cuda.seed_all()
    assert torch.cuda.initial_seed() == torch.initial_seed()


def gradients(*, again: bool, reentrant: bool) -> list[torch.Tensor]:
    torch.manual_seed(3)
    first = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5), nn.Tanh()).to("cuda:1")
    second = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5)).to("cuda:2")
    torch.manual_seed(4)
    x = torch.ones(4, 8, device="cuda:1", requires_grad=True)

    def both(y: torch.Tensor) -> torch.Tensor:
        return second(first(y).to("cuda:2"))

    out = checkpoint(both, x, use_reentrant=reentrant) if again else both(x)
    out.sum().backward()
    return [p.grad.cpu() for p in (x, *first.parameters(), *second.parameters())]


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointed_dropout_on_two_gpus(reentrant: bool) -> None:
    plain = gradients(again=False, reentrant=reentrant)
    again = gradients(again=True, reentrant=reentrant)
    assert all(torch.equal(a, b) for a, b in zip(plain, again, strict=True))
    assert any(0 < (a == 0).float().mean() < 1 for a in plain)
