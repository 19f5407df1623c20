"""What of a script a class needs: enough of it, and none of its work."""

from __future__ import annotations

import ast
import textwrap

import pytest

from grader.sandbox.slices import (
    bound_names,
    free_names,
    needed_names,
    set_by_functions,
    slice_for,
    works_at_import,
)


def parsed(text):
    return ast.parse(textwrap.dedent(text))


def run_slice(text, name="Model"):
    names = {}
    sliced = slice_for(parsed(text), {name})
    exec(compile(ast.fix_missing_locations(sliced), "slice", "exec"), names)
    return names


MODEL = """
class Model:
    def __init__(self):
        self.seen = USED
"""

NEEDED = {
    "a constant": "USED = 7",
    "one that others make": "A = 3\nB = A + 4\nUSED = B",
    "an import": "import math\nUSED = math.floor(7.5)",
    "an import as": "import os.path as p\nUSED = len(p.sep) + 6",
    "a star import": "from math import *\nUSED = floor(7.5)",
    "a list that is filled": "L = []\nfor i in range(7):\n    L.append(i)\nUSED = len(L)",
    "a list that is filled by an expression": "USED = []\nUSED.extend([7])\nUSED = USED[0]",
    "a table that is filled": "T = {}\nfor i in range(8):\n    T[i] = i\nUSED = T[7]",
    "one entry of a table": "T = {}\nT['x'] = 7\nUSED = T['x']",
    "an attribute": "class N: pass\nN.x = 7\nUSED = N.x",
    "a list that is sorted": "L = [9, 7]\nL.sort()\nUSED = L[0]",
    "a sum": "USED = 3\nUSED += 4",
    "an annotated constant": "USED: int = 7",
    "a tuple": "OTHER, USED = 1, 7",
    "a walrus": "print('x' if (USED := 7) else '')",
    "both sides of a test": "if 1 > 2:\n    USED = 1\nelse:\n    USED = 7",
    "a test with training inside": "if True:\n    USED = 7\n    train()",
    "an attempt": "try:\n    import no_such\n    USED = 1\nexcept ImportError:\n    USED = 7",
    "a with": "import contextlib\nwith contextlib.suppress(KeyError):\n    USED = 7",
    "a with that binds": "import io\nwith io.StringIO('7') as f:\n    USED = int(f.read())",
    "a function": "def make():\n    return seven()\ndef seven():\n    return 7\nUSED = make()",
    "a decorator": "def same(f):\n    return f\n@same\ndef make():\n    return 7\nUSED = make()",
    "the main guard": 'if __name__ == "__main__":\n    USED = 7\n    train()',
    "the main guard, the other way round": "if '__main__' == __name__:\n    USED = 7",
    "a comprehension": "USED = [x for x in range(8)][-1]",
    "a lambda": "make = lambda x: x + K\nK = 3\nUSED = make(4)",
    "a default": "N = 7\ndef make(n=N):\n    return n\nUSED = make()",
    "global in a function that it calls": "def init():\n    global G\n    G = 7\n    return G\n"
    "USED = init()",
}


@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED)
def test_what_is_needed_is_kept(text):
    names = run_slice(text + MODEL + "\ntrain()\nwhile True: pass\n")
    assert names["Model"]().seen == 7


LEFT_BEHIND = {
    "training": "train()",
    "a loop": "for step in range(10):\n    train()",
    "an endless loop": "while True:\n    pass",
    "printing": "print(no_such_name)",
    "a model": "model = Model()\nmodel.train(no_such_name)",
    "an unused import": "import no_such_package",
    "an unused constant": "X = no_such_name",
    "leaving": "raise SystemExit",
    "an assertion": "assert False",
}


@pytest.mark.parametrize("text", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
def test_work_is_left_behind(text):
    assert run_slice("USED = 7\n" + text + MODEL + text + "\n")["Model"]().seen == 7


def test_a_class_inside_a_function_is_found():
    text = """
    K = 3
    def main():
        class Model:
            seen = K
        return Model
    """
    assert run_slice(text)["Model"].seen == 3


def test_base_classes_and_their_needs_come_along():
    text = "A = 7\nclass Base:\n    x = A\nclass Model(Base):\n    pass\n"
    assert run_slice(text)["Model"].x == 7


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("f(x) + len(y)", {"f", "x", "y"}),
        ("lambda a: a + b", {"b"}),
        ("[i + k for i in range(n)]", {"k", "n"}),
        ("def f(a, b=d):\n    c = a\n    return c + e", {"d", "e"}),
        ("class C(B):\n    x = 1\n    def m(self):\n        return x + self.y", {"B", "x"}),
        ("x = 1", set()),
        ("import os", set()),
    ],
)
def test_free_names(text, names):
    assert free_names(ast.parse(text).body[0]) == names


@pytest.mark.parametrize("text", ["def f(a, a): return b", "def f(): nonlocal a; a = b"])
def test_of_what_does_not_stand_alone_all_names_are_free(text):
    assert "b" in free_names(ast.parse(text).body[0])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a, (b, *c) = 1, (2, 3)", {"a", "b", "c"}),
        ("import a.b, c as d", {"a", "d"}),
        ("from x import y as z", {"z"}),
        ("def f():\n    inner = 1", {"f"}),
        ("a.b.c = 1", {"a"}),
        ("a[0][1] = 1", {"a"}),
        ("a.append(1)", {"a"}),
        ("a.shuffle(1)", set()),
        ("f(a)", set()),
    ],
)
def test_bound_names(text, names):
    assert bound_names(ast.parse(text).body[0]) == names


@pytest.mark.parametrize(
    ("text", "works"),
    [
        ("N = torch.cuda.device_count()\nD = [torch.device(i) for i in range(N)]", False),
        ("'docstring'\nX = {}\nX['a'] = 1\nassert_ = None", False),
        ("def main():\n    train()\nif __name__ == '__main__':\n    main()", False),
        ("if True:\n    X = 1\nelse:\n    X = 2", False),
        ("try:\n    import tqdm\nexcept ImportError:\n    tqdm = None", False),
        ("model = Model()", True),
        ("print('hello')", True),
        ("for i in range(3):\n    pass", True),
        ("try:\n    train()\nfinally:\n    pass", True),
        ("if X:\n    train()", True),
        ("assert X", True),
    ],
)  # fmt: skip
def test_work_at_import(text, works):
    assert works_at_import(ast.parse(text)) is works


def test_names_that_only_functions_set():
    text = """
    COUNT = 1
    def main():
        global COUNT, OTHER
        COUNT, OTHER = 2, 3
    class Model:
        x = COUNT
    """
    assert set_by_functions(parsed(text), "Model") == {"COUNT"}
    assert needed_names(parsed(text), {"Model"}) == {"Model", "COUNT"}
    called = text.replace("x = COUNT", "x = COUNT if main() else 0")
    assert set_by_functions(parsed(called), "Model") == set()
