"""What a script passes for a class's GPUs: followed to its origin, or honestly unknown."""

from __future__ import annotations

import ast
import textwrap

import pytest

from grader.sandbox.call_site import Passed, Unknown, argument, calls_of, passed_argument


def passed(text, name="gpus", position=2):
    return passed_argument(ast.parse(textwrap.dedent(text)), "Model", name, position)


def value_of(found, **names):
    assert isinstance(found, Passed), found
    setup = ast.fix_missing_locations(ast.Module(list(found.setup), []))
    exec(compile(setup, "setup", "exec"), names)
    return eval(compile(ast.Expression(found.expression), "expression", "eval"), names)


FOLLOWED = {
    "a literal": "Model(D, N, 5)",
    "a keyword": "Model(D, N, gpus=5)",
    "a constant": "G = 5\nModel(D, N, G)",
    "a call": "Model(D, N, count())",
    "a length": "DEVICES = list(range(count()))\nModel(D, N, len(DEVICES))",
    "a local": "def main():\n    n = count()\n    Model(D, N, n)\nmain()",
    "a local of a local": "def main():\n    a = count()\n    b = a\n    Model(D, N, b)",
    "a parameter": "def main(n):\n    Model(D, N, n)\nmain(count())",
    "a keyword parameter": "def main(*, n):\n    Model(D, N, n)\nmain(n=count())",
    "a default": "def main(n=5):\n    Model(D, N, n)\nmain()",
    "a keyword default": "def main(*, n=5):\n    Model(D, N, n)\nmain()",
    "two functions": "def a(n):\n    b(n)\ndef b(m):\n    Model(D, N, m)\na(count())",
    "the same twice": "Model(D, N, count())\nModel(D, N, count())",
    "under the main guard": "if __name__ == '__main__':\n    n = count()\n    Model(D, N, n)",
    "through a module": "import models\nmodels.Model(D, N, 5)",
    "the last of two constants": "G = 2\nG = 5\nModel(D, N, G)",
}


@pytest.mark.parametrize("text", FOLLOWED.values(), ids=FOLLOWED)
def test_what_can_be_followed(text):
    assert value_of(passed(text), count=lambda: 5) == 5


LOST = {
    "two values": "Model(D, N, 2)\nModel(D, N, 5)",
    "some calls pass nothing": "Model(D, N)\nModel(D, N, 5)",
    "a loop": "def main():\n    for n in (2, 5):\n        Model(D, N, n)",
    "a comprehension": "def main():\n    [Model(D, N, n) for n in (2, 5)]",
    "two assignments": "def main():\n    n = 2\n    n = 5\n    Model(D, N, n)",
    "an addition": "def main():\n    n = 2\n    n += 3\n    Model(D, N, n)",
    "a tuple": "def main():\n    n, m = 2, 5\n    Model(D, N, n)",
    "two callers": "def main(n):\n    Model(D, N, n)\nmain(2)\nmain(5)",
    "a caller and a default": "def main(n=2):\n    Model(D, N, n)\nmain()\nmain(5)",
    "no caller": "def main(n):\n    Model(D, N, n)",
    "a method": "class T:\n    def run(self, n):\n        Model(D, N, n)\nT().run(9, 2)",
    "itself": "def main(n):\n    Model(D, N, n)\n    main(n)",
}


@pytest.mark.parametrize("text", LOST.values(), ids=LOST)
def test_where_the_trail_is_lost(text):
    assert isinstance(passed(text), Unknown)


@pytest.mark.parametrize("text", ["Model(D, N)", "x = 1", "Model(*all_of_it, 2)", "Other(D, N, 2)"])
def test_nothing_is_passed(text):
    assert passed(text) is None


def test_arguments_by_position_and_name():
    (call,) = calls_of(ast.parse("Model(1, b=2)"), "Model")
    assert ast.unparse(argument(call, "a", 0)) == "1"
    assert ast.unparse(argument(call, "b", 5)) == "2"
    assert argument(call, "c", 1) is None


def test_calls_know_their_function():
    tree = ast.parse("Model()\ndef main():\n    if True:\n        Model()")
    assert [call.inside and call.inside.name for call in calls_of(tree, "Model")] == [None, "main"]
