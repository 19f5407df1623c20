"""What code asks for is answered, and told."""

from __future__ import annotations

import argparse
import builtins

import pytest

from grader.sandbox import asked

ROLES = {"layers": "depth", "gpus": "gpus", "depth": "depth"}.get
SIZES = {"depth": 7, "gpus": 3}


@pytest.fixture(autouse=True)
def _answering(monkeypatch):
    monkeypatch.setattr(builtins, "input", builtins.input)
    parse = argparse.ArgumentParser.parse_known_args
    monkeypatch.setattr(argparse.ArgumentParser, "parse_known_args", parse)
    monkeypatch.setattr(asked, "_given", {})
    asked.answer(lambda word: ROLES(word.lower()), SIZES)


def test_questions_get_the_size_that_they_speak_of():
    assert (input("How many GPUs? "), input("Layers: "), input("Press enter")) == ("3", "7", "7")
    assert asked.given() == {
        "input('How many GPUs?') was answered with 3": "gpus",
        "input('Layers:') was answered with 7": "depth",
        "input('Press enter') was answered with 7": "depth",
    }


def test_required_arguments_get_a_value_and_defaults_stay():
    parser = argparse.ArgumentParser()
    parser.add_argument("depth", type=int)
    parser.add_argument("--gpus", type=int, required=True)
    parser.add_argument("--mode", choices=["dp", "mp"], required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--steps", type=int, default=20)
    found = vars(parser.parse_args([]))
    assert found == {"depth": 7, "gpus": 3, "mode": "dp", "name": "2", "steps": 20}
    assert list(asked.given()) == [
        "the argument depth was given as 7",
        "the argument --gpus was given as 3",
        "the argument --mode was given as dp",
        "the argument --name was given as 2",
    ]


def test_nothing_is_told_where_nothing_was_asked():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=20)
    assert parser.parse_args([]).steps == 20
    assert asked.given() == {}
