"""Values that an instructor gives to parameters, with what is asked for in their place."""

from __future__ import annotations

import pytest

from grader.sandbox.given import Given

ASKED = {"width": 17, "depth": 6, "gpus": 2}

GIVEN = Given.of(
    {
        "n": "$depth",
        "plain": "depth",
        "split": [1, ["$gpus"], None],
        "cfg": {"dim": "$width", "inner": {"depth": "$depth"}},
    }
)


def built(name):
    return GIVEN.built(name, ASKED.__getitem__)


def test_values_are_built_with_what_is_asked_for():
    assert built("n") == 6
    assert built("plain") == "depth"
    assert built("split") == [1, [2], None]
    assert built("cfg") == {"dim": 17, "inner": {"depth": 6}}


def test_a_table_is_also_an_object():
    cfg = built("cfg")
    assert (cfg.dim, cfg.inner.depth, cfg["dim"]) == (17, 6, 17)
    with pytest.raises(AttributeError, match=r"class\.toml gives no 'lr'"):
        cfg.lr  # noqa: B018
    assert getattr(cfg, "lr", 0.1) == 0.1


def test_roles():
    assert [GIVEN.role(name) for name in GIVEN.names()] == ["depth", None, None, None]
    assert [GIVEN.roles(name) for name in GIVEN.names()] == [
        {"depth"},
        set(),
        {"gpus"},
        {"width", "depth"},
    ]


def test_nobody_can_change_what_the_next_model_is_given():
    built("split").append("more")
    assert built("split") == [1, [2], None]
