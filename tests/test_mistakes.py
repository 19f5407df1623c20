"""Every row of the table explains an error that today's Python or torch really raises."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grader import mistakes
from grader.mistakes import explained

TORCH = "import torch\nfrom torch import nn, optim\n"

#: A program, what the explanation says, and what it says to try. `...` stands for TORCH.
PROGRAMS: dict[str, tuple[str, str, str]] = {
    # ---------------------------------------------------------------- text that Python cannot read
    "conflict": ("x = 1\n<<<<<<< HEAD\ny = 2", "marks of a merge", "Keep one"),
    "magic": ("%matplotlib inline", "Only Jupyter", "%"),
    "shell": ("!pip install torch", "Only Jupyter", "the notebook itself"),
    "curly quotes": ("print(“hello”)", "curly ones", "editor for code"),
    "dash": ("x = 5 – 2", "'–' (U+2013", "instead of copying"),
    "hard space": ("x\u00a0= 1", "U+00A0", "instead of copying"),
    "open quote": ("print(f'loss {1}", "no closing quote", "pasted"),
    "open text": ('"""about', "no closing quote", "Close"),
    "open bracket": ("x = (1 + 2", "Brackets", "Count"),
    "bracket too many": ("print(1))", "Brackets", "Count"),
    "no colon": ("for i in range(3)\n    print(i)", "ends in a colon", "Put the colon"),
    "tabs": ("if 1:\n\tx = 1\n        y = 2", "tabs", "spaces"),
    "nothing indented": ("def f():\nreturn 1", "must be indented", "write pass"),
    "indented": ("x = 1\n  y = 2", "not begin below", "same number of spaces"),
    "indented less": ("if 1:\n    x = 1\n  y = 2", "not begin below", "same number of spaces"),
    "return outside": ("x = 1\nreturn x", "outside of the function", "Indent it"),
    "other syntax": ("x = 5 if", "cannot read this line", "the line above"),
    # ---------------------------------------------------------------- processes
    "no guard": (
        "import multiprocessing as m\nhere = m.current_process()\nhere._inheriting = True\n"
        "try:\n    m.get_context('spawn').Process(target=print).start()\n"
        "finally:\n    del here._inheriting",
        "starts processes while it is being read",
        '__name__ == "__main__"',
    ),
    "no torchrun": ("import os\nos.environ['LOCAL_RANK']", "one of several", "torchrun"),
    "no rank": (
        "...import torch.distributed as d\nd.init_process_group('gloo')",
        "one of several",
        "torchrun",
    ),
    "no group": ("...import torch.distributed as d\nd.get_rank()", "not been told", "init_process"),
    "input": ("n = int(input('GPUs? '))", "waits for somebody", "device_count"),
    # ---------------------------------------------------------------- devices
    "two devices": (
        "...nn.Linear(2, 2).to('cuda:1')(torch.ones(1, 2, device='cuda:0'))",
        "on different devices",
        "x = x.to(",
    ),
    "no such GPU": ("...nn.Linear(2, 2).to('cuda:2')", "not there", "device_count() - 1"),
    "GPU -1": ("...torch.ones(1, device='cuda:-1')", "not there", "from 0"),
    "half a GPU": ("...torch.ones(1, device=f'cuda:{1 / 2}')", "'cuda:0.5'", "//"),
    "gpu:0": ("...torch.ones(1, device='gpu:0')", "no device called 'gpu'", '"cuda:0"'),
    "full GPU": ("...torch.ones(1 << 40, device='cuda:0')", "memory of a GPU is full", "batch"),
    "numpy": ("...torch.ones(2, device='cuda:0').numpy()", "CPU's memory", ".cpu().numpy()"),
    "class": (
        "...nn.CrossEntropyLoss()(torch.ones(1, 2).cuda(), torch.tensor([5]).cuda())",
        "number of a class",
        "target.max()",
    ),
    "class on the CPU": (
        "...nn.CrossEntropyLoss()(torch.ones(1, 2), torch.tensor([5]))",
        "number of a class",
        "target.max()",
    ),
    "data parallel": (
        "...nn.DataParallel(nn.Linear(2, 2).to('cuda:1'))(torch.ones(2, 2))",
        "whole model on one GPU",
        "Leave nn.DataParallel out",
    ),
    "gradient": (
        "...x = torch.ones(3, device='cuda:1', requires_grad=True) * 2\nx.backward(torch.ones(3))",
        "is on cpu that is needed on cuda:1",
        'x.to("cuda:1")',
    ),
    # ---------------------------------------------------------------- modules and optimizers
    "no super": (
        "...class M(nn.Module):\n    def __init__(self):\n        self.l = nn.Linear(2, 2)\nM()",
        "not called the __init__",
        "super().__init__()",
    ),
    "no super, called": (
        "...class M(nn.Module):\n    def __init__(self):\n        pass\n"
        "    def forward(self, x):\n        return x\nM()(1)",
        "not called the __init__",
        "super().__init__()",
    ),
    "list of modules": (
        "...nn.ModuleList([nn.Linear(2, 2)])(torch.ones(1, 2))",
        "cannot be called",
        "for layer in self.layers",
    ),
    "no forward": (
        "...class M(nn.Module):\n    def forwards(self, x):\n        return x\nM()(1)",
        "The class M has no method called forward",
        "indentation",
    ),
    "plain list": (
        "...class M(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layers = [nn.Linear(2, 2)]\noptim.SGD(M().parameters(), lr=0.1)",
        "plain lists",
        "nn.ModuleList",
    ),
    "sequential list": ("...nn.Sequential([nn.Linear(2, 2)])", "given a list", "star"),
    "no layer": ("...nn.ModuleList([3])", "something else (int)", "Give it the layer"),
    "generator": ("...nn.Linear(2, 2).parameters()[0]", "one by one", "next("),
    "device of a layer": ("...nn.Linear(2, 2).device", "Linear has no .device", "next(layer."),
    "list to": ("...[nn.Linear(2, 2)].to('cuda:0')", "A list has no .to()", "for t in"),
    "list called": ("...[nn.Linear(2, 2)](1)", "called like a function", "for layer in"),
    "optimizer of a model": (
        "...optim.SGD(nn.Linear(2, 2), lr=0.1)",
        "takes the parameters",
        "model.parameters()",
    ),
    "state": ("...nn.Linear(2, 2).load_state_dict({})", "do not fit", "sizes"),
    # ---------------------------------------------------------------- tensors and gradients
    "width": ("...nn.Linear(4, 4)(torch.ones(2, 5))", "(2x5 times 4x4)", "in_features"),
    "double": ("...nn.Linear(2, 2)(torch.ones(1, 2).double())", "two types", "x.float()"),
    "class numbers": (
        "...nn.CrossEntropyLoss()(torch.ones(2, 2), torch.ones(2))",
        "two types",
        "target.long()",
    ),
    "target": ("...nn.MSELoss()(torch.ones(2, 4), torch.ones(3, 4))", "2 beside 3", "shapes"),
    "cat": ("...torch.cat([torch.ones(2, 2), torch.ones(3, 3)])", "joined", "shapes"),
    "view": ("...torch.ones(6).view(4, 2)", "6 numbers", "come to 6"),
    "twice": (
        "...x = torch.ones(2, requires_grad=True)\ny = (x * x).sum()\ny.backward()\ny.backward()",
        "ran twice",
        ".detach()",
    ),
    "in place": (
        "...x = torch.ones(2, requires_grad=True)\ny = x * 2\nz = y * y\ny += 1\n"
        "z.sum().backward()",
        "changed in place",
        "x = x + y",
    ),
    "leaf": ("...x = torch.ones(2, requires_grad=True)\nx += 1", "in place", "x = x + y"),
    "no graph": ("...torch.ones(2).sum().backward()", "not connected", "no_grad()"),
    "no scalar": (
        "...torch.ones(2, requires_grad=True).backward()",
        "single number",
        "loss_fn(output, target)",
    ),
    "item": ("...torch.ones(2).item()", "this one holds several", ".mean()"),
    "loss made": (
        "...nn.MSELoss(torch.ones(2), torch.ones(2))",
        "where it is only made",
        "call it",
    ),
    "truth": ("...if torch.ones(2) == 1:\n    pass", "one True or False", ".all()"),
    "numpy of a parameter": ("...nn.Linear(2, 2).weight.numpy()", "gradients go through", "detach"),
    "no gradient": ("...nn.Linear(2, 2).weight.grad.zero_()", "no gradient", "zero_grad()"),
    # ---------------------------------------------------------------- what the code gives up itself
    "assert GPUs": ("...assert torch.cuda.device_count() > 2", "number of GPUs", "on 1 too"),
    "raise GPUs": ("raise RuntimeError('needs 4 GPUs')", "number of GPUs", "on 1 too"),
    "exit GPUs": ("import sys\nsys.exit('not enough GPUs')", "number of GPUs", "on 1 too"),
    "assert": ("depth = 7\nassert depth % 2 == 0", "assert of your own", "just before"),
    "raise": ("raise ValueError('odd depth')", "Your own code raises", "just before"),
    "exit": ("exit()", "ends the program", "Leave exit() out"),
    # ---------------------------------------------------------------- numbers of layers and of GPUs
    "zero": ("depth, n = 4, 5\nfor i in range(depth):\n    i // (depth // n)", "4 // 5", "1 GPU"),
    "step": ("for i in range(0, 4, 4 // 5):\n    pass", "step of a range is 0", "fewer layers"),
    "GPU list": ("devices = ['cuda:0']\ndevices[1]", "list of 3 the last one is 2", "1 GPU"),
    "index": ("x = [1]\nx[1]", "beyond the end", "length"),
    "fraction": ("for i in range(4 / 2):\n    pass", "whole number is needed", "//"),
    "fraction of a list": ("[1, 2][2 / 2]", "whole number is needed", "//"),
    "loop": ("for i in 4:\n    pass", "cannot be looped over", "range(n)"),
    # ---------------------------------------------------------------- files and packages
    "circle": ("from circle_a import x", "in a circle", "third file"),
    "no such name": ("from torch import no_such", "nothing called no_such in torch", "typo"),
    "other package": ("import cv2", "holds cv2", "opencv-python"),
    "no such file": ("import my_helpers", "no file my_helpers.py", "Hand in all files"),
    "own machine": (r"open(r'C:\Users\me\data.csv')", "one machine", "name alone"),
    "data": ("open('data.csv')", "no data.csv beside", "Put it there"),
    "encoding": ("open('text.bin', encoding='utf-8').read()", "UTF-8", "encoding="),
    # ---------------------------------------------------------------- names and calls
    "unbound": (
        "def f():\n    print(x)\n    x = 1\nf()",
        "x gets a value in this function",
        "before any if",
    ),
    "name": ("for i in range(num_gpu):\n    pass", "Nothing is called num_gpu", "self.num_gpu"),
    "none": ("...nn.MSELoss()(None, torch.ones(2))", "Something is None", "return x"),
    "module": ("...torch.cuda.device_counts()", "nothing called device_counts in", "typo"),
    "attribute": ("...torch.ones(2).backwards()", "Tensor has nothing called backwards", "typo"),
    "made without": (
        "class M:\n    def __init__(self, dim, depth):\n        pass\nM(3)",
        "made without 'depth'",
        "same order",
    ),
    "called without": (
        "...class M(nn.Module):\n    def forward(self, x, y):\n        pass\nM()(1)",
        "forward() is called without 'y'",
        "line of its def",
    ),
    "keyword": (
        "class M:\n    def __init__(self, dim):\n        pass\nM(3, gpus=2)",
        "given gpus=...",
        "spelled the same",
    ),
    "no self": (
        "...class M(nn.Module):\n    def forward(x):\n        pass\nM()(1)",
        "takes 1 and is given 2",
        "self",
    ),
    "recursion": (
        "...class M(nn.Module):\n    def forward(self, x):\n        return self(x)\nM()(1)",
        "without end",
        "self(x)",
    ),
    "key": ("{'dim': 1}['DIM']", "no entry 'DIM'", "spelled"),
    "text and number": ("'cuda:' + 1", "cannot be added", 'f"cuda:{i}"'),
    "square brackets": ("...torch.cuda.device_count[0]", "used like a list", "round brackets"),
    "unpack": ("a, b = 1, 2, 3", "as many names", "right side"),
    "memory": ("...torch.empty(1 << 55)", "more memory", "pile up"),
}
#: Programs that need a torch without virtual GPUs.
PLAIN = {"no GPU": ("...torch.ones(1).cuda()", "no GPU here", "vgpu -n 2")}

BESIDE = {
    "circle_a.py": "from circle_b import y\nx = 1",
    "circle_b.py": "from circle_a import x\ny = 1",
}

#: Writes down, for each program in a folder, what the worker would send: message and place.
RUN = """
import json, os, sys
from pathlib import Path
import torch
from grader import vgpu
from grader.sandbox.faults import InterfaceGap, StudentFault, described
from grader.sandbox.source import parse

folder, gpus = Path(sys.argv[1]).resolve(), int(sys.argv[2])
if gpus:
    vgpu.install(gpus)
os.chdir(folder)
sys.path.insert(0, str(folder))
told = {}
for path in sorted(folder.glob("program*.py")):
    try:
        parse(path, Path(path.name))
        exec(compile(path.read_bytes(), str(path), "exec"), {"__name__": "program"})
        found = None
    except StudentFault as fault:
        found = fault
    except BaseException as error:
        found = described(error, folder)
    if isinstance(found, InterfaceGap):
        told[path.stem] = [found.error, found.where]
    else:
        told[path.stem] = [found and found.message, found and found.where]
Path("told.json").write_text(json.dumps(told))
"""


def run(programs: dict[str, tuple[str, str, str]], folder: Path, gpus: int) -> dict[str, list[str]]:
    """By program, "Type: message" and its place."""
    for n, (text, _, _) in enumerate(programs.values()):
        body = text.replace("...", TORCH, 1) if text.startswith("...") else text
        (folder / f"program{n:03}.py").write_text(body, "utf-8")
    for name, text in BESIDE.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "text.bin").write_bytes(b"\xff\xfe\x00")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(folder), str(gpus)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads((folder / "told.json").read_text("utf-8"))
    return dict(zip(programs, told.values(), strict=True))


@pytest.fixture(scope="module")
def errors(tmp_path_factory) -> dict[str, list[str]]:
    with_gpus = run(PROGRAMS, tmp_path_factory.mktemp("programs"), 2)
    return with_gpus | run(PLAIN, tmp_path_factory.mktemp("plain"), 0)


def code_in(where: str | None) -> str:
    return (where or "").partition(": ")[2]


@pytest.mark.parametrize("name", [*PROGRAMS, *PLAIN])
def test_an_error_is_explained(name, errors):
    error, where = errors[name]
    assert error, "it raises nothing"
    assert ".py, line " in where
    _, means, fix = (PROGRAMS | PLAIN)[name]
    mistake = explained(error, code_in(where))
    assert mistake is not None, (error, where)
    assert means in mistake.means, error
    assert fix in mistake.fix, error


def test_every_row_explains_one_of_them(errors):
    texts = [f"{error}\n{code_in(where).strip()}" for error, where in errors.values()]
    first = {
        next((n for n, (row, _) in enumerate(mistakes._rows()) if row.search(text)), None)
        for text in texts
    }
    unused = [row.pattern for n, (row, _) in enumerate(mistakes._rows()) if n not in first]
    assert not unused


def test_texts_are_short_and_whole():
    for _, mistake in mistakes._rows():
        for text in (mistake.means, mistake.fix):
            assert len(text) <= 230, text
            assert text[-1] in ".?", text
            assert "\n" not in text, text


@pytest.mark.parametrize(
    "error",
    [
        "ValueError: invalid literal for int() with base 10: 'a'",
        "IndexError: pop from empty list",
        "AssertionError: of torch's own",
        "RuntimeError: something that nobody has seen",
    ],
)
def test_no_explanation_is_better_than_a_wrong_one(error):
    assert explained(error, "model(x)") is None


def test_what_the_error_says_stands_as_it_is():
    mistake = explained("KeyError: '<name> \\1 {x}'")
    assert mistake is not None
    assert mistake.means == "There is no entry '<name> \\1 {x}' in the dictionary."
