"""Which class of a hand-in is graded, and in which ways its file is read."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path

import pytest

from grader.sandbox.faults import ImportFault, InterfaceGap
from grader.sandbox.given import Given
from grader.sandbox.model_search import find_models
from grader.sandbox.readings import readings, with_sizes
from grader.sandbox.source import ModelSite, Vocabulary, parse, pinned_devices

WORDS = Vocabulary("Wanted", ("dim", "hidden_size"), ("depth", "L"), ("gpus",), ("devices",))

FIXED = "class {name}(nn.Module):\n    def __init__(self, dim, depth):\n        self.n = 2\n"
ASKS = FIXED.replace("2", "torch.cuda.device_count()")


def find(hand_in, files):
    folder = hand_in(files)
    return find_models(folder, sorted(Path(name) for name in files), WORDS)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"a.py": FIXED.format(name="Wanted")}, ("a.py", "Wanted")),
        ({"a.py": FIXED.format(name="Other")}, ("a.py", "Other")),
        ({"a.py": "x = 1", "b.py": ASKS.format(name="Wanted")}, ("b.py", "Wanted")),
        (
            {"a.py": FIXED.format(name="Wanted"), "b.py": ASKS.format(name="Wanted")},
            ("b.py", "Wanted"),
        ),
        (
            {"a.py": "DEPTH = 6\n" + ASKS.format(name="Wanted"),
             "b.py": "DEPTH = 20\n" + ASKS.format(name="Wanted")},
            ("a.py", "Wanted"),
        ),
        (
            {"a.py": FIXED.format(name="Wanted") + FIXED.format(name="Block")},
            ("a.py", "Wanted"),
        ),
        ({"a.py": "def broken(:", "b.py": FIXED.format(name="Wanted")}, ("b.py", "Wanted")),
        ({"a.py": "class B(nn.Module): pass\n" + ASKS.format(name="C").replace("nn.Module", "B")},
         ("a.py", "C")),
        ({"a.py": "def f():\n" + "".join("    " + line + "\n" for line in
                                        ASKS.format(name="Wanted").splitlines())},
         ("a.py", "Wanted")),
    ],
)  # fmt: skip
def test_the_class_to_grade(files, found, hand_in):
    [site] = find(hand_in, files)
    assert (str(site.file), site.name) == found


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": "x = 1"},
        {"a.py": "class Net(nn.Module):\n    def __init__(self, config): pass\n"},
        {"a.py": "class A(B): pass\nclass B(A): pass\n"},
    ],
)
def test_a_person_is_asked_where_it_is_unclear(files, hand_in):
    with pytest.raises(InterfaceGap):
        find(hand_in, files)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"a.py": FIXED.format(name="One") + FIXED.format(name="Two")}, ["One", "Two"]),
        (
            {
                "a.py": ASKS.format(name="Wanted"),
                "b.py": ASKS.format(name="Wanted") + "        x = 1",
            },
            ["Wanted", "Wanted"],
        ),
    ],
)
def test_classes_that_differ_are_all_named(files, found, hand_in):
    assert [site.name for site in find(hand_in, files)] == found


def test_a_class_that_asks_comes_before_the_base_code(hand_in):
    files = {"a.py": FIXED.format(name="Wanted") + ASKS.format(name="OnAllGpus")}
    assert [site.name for site in find(hand_in, files)] == ["OnAllGpus"]


def test_a_file_that_python_cannot_read_is_told_with_its_line(hand_in):
    with pytest.raises(ImportFault, match="SyntaxError") as told:
        find(hand_in, {"a.py": "x = 1\nif x\n    y = 2\n"})
    assert told.value.where == "a.py, line 2: if x"


@pytest.mark.parametrize("data", [b"x = '\xfc'\n", "x = 1".encode("utf-16"), b"x = 1\0\n"])
def test_other_encodings_are_a_question(data, tmp_path):
    (tmp_path / "a.py").write_bytes(data)
    with pytest.raises(InterfaceGap, match=r"a\.py is not"):
        parse(tmp_path / "a.py", Path("a.py"))


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfx = '\xc3\xbc'\r\n", b"# coding: latin-1\nx = '\xfc'"]
)
def test_marks_and_declarations_are_heeded(data, tmp_path):
    (tmp_path / "a.py").write_bytes(data)
    names = {}
    exec(compile(parse(tmp_path / "a.py", Path("a.py")), "a", "exec"), names)
    assert names["x"] == "ü"


def test_comments_of_another_encoding_do_not_matter(tmp_path):
    (tmp_path / "a.py").write_bytes(b"# caf\xe9\n" + FIXED.format(name="Wanted").encode())
    assert find_models(tmp_path, [Path("a.py")], WORDS)[0].name == "Wanted"
    (tmp_path / "a.py").write_bytes(b"# caf\xe9\nimport torch\n")
    with pytest.raises(InterfaceGap, match=r"no class Wanted.*a\.py, which is not UTF-8 text"):
        find_models(tmp_path, [Path("a.py")], WORDS)


@pytest.mark.parametrize("name", ["base64", "rot13", "hex", "undefined", "punycode", "nonsense"])
def test_an_encoding_that_is_none_is_a_question(name, tmp_path):
    (tmp_path / "a.py").write_text(f"# coding: {name}\nx = 1\n")
    with pytest.raises(InterfaceGap, match=r"a\.py is not UTF-8 text"):
        find_models(tmp_path, [Path("a.py")], WORDS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n" * 200_000, "too large for a script"),
        ("x = 0x" + "f" * 6000 + "\n", "thousands of digits"),
    ],
)
def test_what_nobody_writes_is_a_question(text, said, tmp_path):
    (tmp_path / "a.py").write_text(text + FIXED.format(name="Wanted"))
    with pytest.raises(InterfaceGap, match=said):
        find_models(tmp_path, [Path("a.py")], WORDS)


def test_a_notebook_with_a_loud_name(tmp_path):
    cell = {"cell_type": "code", "source": "%matplotlib inline\n" + FIXED.format(name="Wanted")}
    (tmp_path / "A.IPYNB").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    assert find_models(tmp_path, [Path("A.IPYNB")], WORDS)[0].name == "Wanted"


def test_code_that_is_too_deep_is_told(tmp_path):
    (tmp_path / "a.py").write_text("x = " + "-" * 100_000 + "1")
    with pytest.raises(ImportFault, match=r"too deep|SyntaxError|nested"):
        parse(tmp_path / "a.py", Path("a.py"))


@pytest.mark.parametrize(
    ("name", "role"),
    [("dim", "width"), ("Hidden_Size", "width"), ("hidden_size2", "width"), ("l", "depth"),
     ("GPUS", "gpus"), ("devices", "devices"), ("batch", None), ("", None)],
)  # fmt: skip
def test_roles_of_names(name, role):
    assert WORDS.role(name) == role


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("os.environ['CUDA_VISIBLE_DEVICES'] = '0,1'", "'0,1'"),
        ("os.putenv('CUDA_VISIBLE_DEVICES', gpus)", "gpus"),
        ("os.environ.setdefault('CUDA_VISIBLE_DEVICES', '0')", "'0'"),
        ("print(os.environ.get('CUDA_VISIBLE_DEVICES'))", None),
    ],
)
def test_pins(line, value):
    assert pinned_devices(ast.parse(line)) == value


# ------------------------------------------------------------------ readings

CLASS = "class Wanted:\n    x = N\n"


def ways(text):
    """For each reading: "part" or "whole", and the name it runs under."""
    tree = ast.parse(text)
    found = readings(ModelSite(Path("a.py"), "Wanted", tree))
    return [("whole" if way.tree is tree else "part", way.name) for way in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N = 1\n" + CLASS, [("whole", None), ("part", None)]),
        ("N = 1\n" + CLASS + "train()", [("part", None), ("whole", "__main__")]),
        (CLASS + "if __name__ == '__main__':\n    N = 1", [("part", None), ("whole", "__main__")]),
        ("N = 1\n" + CLASS + "if __name__ == '__main__':\n    M = 1",
         [("whole", None), ("part", None)]),
        ("N = 1\nif __name__ == '__main__':\n    class Wanted:\n        x = N",
         [("part", None), ("whole", "__main__")]),
        ("N = 1\ndef f():\n    class Wanted:\n        x = N", [("part", None)]),
    ],
)  # fmt: skip
def test_ways_to_read_a_file(text, expected):
    assert ways(text) == expected


def test_what_only_functions_set_cannot_be_read():
    with pytest.raises(InterfaceGap, match="N, which only a function sets"):
        ways("N = 1\n" + CLASS + "def main():\n    global N\n    N = 2\n")


def test_sizes_replace_constants_outside_of_functions():
    text = (
        "DIM = 8192\nDEPTH: int = 20\ndim, other = 1, 2\nL = DEPTH // 2\nDIM2 = '8'\n"
        "def f(dim=5):\n    depth = 3\n"
        "if __name__ == '__main__':\n    depth = 4\n"
    )
    tree = ast.parse(text)
    sized, replaced = with_sizes(tree, WORDS, {"width": 24, "depth": 7})
    assert ast.unparse(sized).splitlines()[:5] == [
        "DIM = 24", "DEPTH: int = 7", "dim, other = (24, 2)", "L = DEPTH // 2", "DIM2 = '8'",
    ]  # fmt: skip
    assert "depth = 3" in ast.unparse(sized)
    assert "depth = 7" in ast.unparse(sized)
    assert replaced == {"DIM": "width", "DEPTH": "depth", "dim": "width", "depth": "depth"}
    assert ast.unparse(tree).startswith("DIM = 8192")


# ---------------------------------------------------------------------- what an instructor says


def found(hand_in, files, **said):
    folder = hand_in(files)
    sites = find_models(folder, sorted(map(Path, files)), replace(WORDS, **said))
    return [(str(site.file), site.name) for site in sites]


def test_the_class_that_is_named_and_no_other(hand_in):
    both = FIXED.format(name="Wanted") + "class Meant:\n    pass\n"
    files = {"a.py": both, "b.py": ASKS.format(name="Other")}
    assert found(hand_in, files, only="Meant") == [("a.py", "Meant")]
    with pytest.raises(InterfaceGap, match=r"names the class Absent, which is not in a\.py; b\.py"):
        found(hand_in, files, only="Absent")


@pytest.mark.parametrize(
    "arguments",
    [{"n": "$depth", "m": "$width"}, {"n": {"sizes": ["$width", "$depth"]}}],
)
def test_given_parameters_tell_the_class(arguments, hand_in):
    files = {"a.py": FIXED.format(name="Net").replace("dim, depth", "n, m")}
    with pytest.raises(InterfaceGap):
        found(hand_in, files)
    assert found(hand_in, files, given=Given.of(arguments)) == [("a.py", "Net")]
    with pytest.raises(InterfaceGap):
        found(hand_in, files, given=Given.of({"n": 6, "m": "$width"}))
