"""What a check wants changed in a program is changed, wherever its author has put it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from grader.sandbox.changed import Changes, changed
from grader.sandbox.faults import InterfaceGap
from grader.sandbox.source import Roles

ROLES = Roles({"micro": ["MICRO_BATCHES"], "batch": ["BATCH_SIZE", "bs"]})


def after(text, **changes):
    return ast.unparse(changed(ast.parse(text), Changes(**changes), ROLES, Path("s.py")))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MICRO_BATCHES = 4", "MICRO_BATCHES = 2"),
        ("micro_batches: int = 4", "micro_batches: int = 2"),
        ("a, MICRO_BATCHES = (1, 4)", "a, MICRO_BATCHES = (1, 2)"),
        ("def main():\n    micro_batches = 4", "def main():\n    micro_batches = 2"),
        ("def main(bs, micro_batches=4):\n    pass", "def main(bs, micro_batches=2):\n    pass"),
        ("def main(*, micro_batches=4):\n    pass", "def main(*, micro_batches=2):\n    pass"),
        ("p.add_argument('-m', '--micro-batches', type=int, default=4)",) * 2,
    ],
)
def test_a_constant_by_its_role(text, expected):
    if text == expected:
        expected = text.replace("default=4", "default=2")
    assert after(text, sizes={"micro": 2}) == expected


def test_a_constant_at_the_top_counts_and_not_one_of_its_name_elsewhere():
    text = "BATCH_SIZE = 64\n\ndef show(bs=8):\n    pass"
    assert after(text, sizes={"batch": 32}) == text.replace("64", "32")


@pytest.mark.parametrize(
    "text", ["x = 4", "MICRO_BATCHES = int(input())", "MICRO_BATCHES = True", "f(micro_batches=n)"]
)
def test_without_such_a_constant_a_person_looks(text):
    with pytest.raises(InterfaceGap, match=r"s\.py has no constant for micro"):
        after(text, sizes={"micro": 2})


def test_numbers_wherever_they_stand():
    assert after("f(64, [64, 65])", values={64: 61}) == "f(61, [61, 65])"
    with pytest.raises(InterfaceGap, match="no constant for 62 and 63"):
        after("f(64)", values={63: 1, 62: 1})


# ------------------------------------------------------------------ expressions

ONE_GPU = {"f'cuda:{_ + 2}'": "f'cuda:{_}'", "rank + 2": "rank"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("d = torch.device(f'cuda:{local_rank + 2}')", "d = torch.device(f'cuda:{local_rank}')"),
        ("d = f'cuda:{int(env[0]) + 2}'", "d = f'cuda:{int(env[0])}'"),
        ("second = rank + 2\nfirst = rank", "second = rank\nfirst = rank"),
        ("f(x.to(f'cuda:{r + 2}'), rank + 2)", "f(x.to(f'cuda:{r}'), rank)"),
    ],
)
def test_expressions_and_whatever_stands_in_them(text, expected):
    assert after(text, rewrites=ONE_GPU) == expected


@pytest.mark.parametrize(
    "text", ["rank + 1", "2 + rank", "f'cuda:{r + 2}!'", "ranks + 2", "r.rank"]
)
def test_what_is_not_like_it_is_for_a_person(text):
    with pytest.raises(InterfaceGap, match=r"s\.py has nothing like f'cuda:\{_ \+ 2\}'"):
        after(text, rewrites=ONE_GPU)


def test_any_expression_is_the_same_on_both_sides_of_it():
    assert after("a + a; a + b", rewrites={"_ + _": "2 * _"}) == "2 * a\na + b"
