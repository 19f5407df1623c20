"""What one probe of a hand-in says: observations, their numbers, and whose doing a failure is."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from stand_ins import MODEL

from grader.checking.expect import NeedsPerson
from grader.checking.observations import ProbeFailed

TRAINING = """
model = LargeLinearModelMP(DIM, DEPTH)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for step in range(2):
    x = torch.randn(64, DIM, device="cuda:0")
    optimizer.zero_grad()
    output = model(x)
    nn.functional.mse_loss(output, torch.randn_like(output)).backward()
    optimizer.step()
"""
COUNT = "        gpus = torch.cuda.device_count()\n"
LAYER = "nn.Sequential(nn.Linear(dim, dim), nn.ReLU())"


def changed(old, new, text=MODEL):
    assert old in text
    return text.replace(old, new)


def test_a_right_model_is_seen_as_it_is(probing):
    prober = probing(MODEL)
    run = prober.forward(7, 3)
    assert run.layers_per_gpu() == [3, 2, 2]
    assert run.numbers.right
    assert (run.trace.gpu_to_gpu(), run.trace.calls_of_to()) == (2, 7)
    training = prober.train(7, 3)
    assert training.changed
    assert training.numbers.right
    assert len(training.losses) == 3
    assert all(n > 0 for n in training.memory)


def test_numbers_differ_from_probe_to_probe(probing):
    prober = probing(MODEL)
    runs = [prober.train(6, 2) for _ in range(3)]
    assert len({tuple(run.losses) for run in runs}) == 3


def test_widths_differ_from_hand_in_to_hand_in_but_not_between_gpu_counts(probing):
    widths = []
    for _ in range(8):
        prober = probing(MODEL)
        runs = [prober.forward(6, gpus) for gpus in (1, 2)]
        assert runs[0].dim == runs[1].dim
        widths.append(runs[0].dim)
    assert len(set(widths)) > 1


def test_two_probes_of_one_process_do_not_mix_their_traces(probing):
    prober = probing(MODEL)
    first, second = prober.forward(6, 3), prober.forward(12, 3)
    assert (first.trace.gpu_to_gpu(), len(first.placement)) == (2, 6)
    assert (second.trace.gpu_to_gpu(), len(second.placement)) == (2, 12)


def test_a_count_read_at_import_is_that_of_the_process(probing):
    text = changed(COUNT, "        gpus = COUNT\n") + "\n"
    text = changed("DIM = 4096", "COUNT = torch.cuda.device_count()\nDIM = 4096", text)
    prober = probing(text)
    for gpus in (5, 1, 2, 5):
        assert len(set(prober.forward(10, gpus).placement)) == gpus


def test_pinned_devices_are_ignored_and_told(probing):
    pin = 'import os\nos.environ["CUDA_VISIBLE_DEVICES"] = "0,1"\n'
    prober = probing(pin + MODEL)
    assert len(set(prober.forward(10, 5).placement)) == 5
    assert list(prober.notes) == ["the script sets CUDA_VISIBLE_DEVICES to '0,1'; ignored here"]


# ------------------------------------------------------------------ right code, unusual shape

RIGHT = {
    "the count is set under the main guard": changed(COUNT, "")
    + '\nif __name__ == "__main__":\n    gpus = torch.cuda.device_count()\n',
    "a table is filled by a loop, beside training": changed(
        COUNT, "        gpus = len(DEVICES)\n"
    ).replace("DIM =", "DEVICES = {}\nfor i in range(torch.cuda.device_count()):\n"
              "    DEVICES[i] = torch.device('cuda', i)\nDIM =") + TRAINING,
    "a function fills it at import, beside training": changed(
        COUNT, "        gpus = STATE['gpus']\n"
    ).replace("DIM =", "STATE = {}\ndef setup():\n    STATE['gpus'] = torch.cuda.device_count()\n"
              "setup()\nDIM =") + TRAINING,
    "a package that only plots need is missing": "import no_such_package as plt\n" + MODEL,
    "sizes come from constants": MODEL.replace("self, dim, depth", "self")
    .replace("dim, dim", "DIM, DIM").replace("(depth)", "(DEPTH)").replace("// depth", "// DEPTH"),
    "sizes come from a tuple of constants": MODEL.replace("self, dim, depth", "self")
    .replace("DIM = 4096\nDEPTH = 20", "DIM, DEPTH = 4096, 20")
    .replace("dim, dim", "DIM, DIM").replace("(depth)", "(DEPTH)").replace("// depth", "// DEPTH"),
    "positional parameters only": changed("self, dim, depth", "self, dim, depth, /"),
    "blocks are copies of one": changed(LAYER, "copy.deepcopy(block)").replace(
        "        for i", f"        block = {LAYER}\n        for i").replace(
        "import torch\n", "import copy\nimport torch\n", 1),
    "no activation at all": changed(LAYER, "nn.Linear(dim, dim)"),
    "the default device is set, beside training": 'import torch\n'
    'torch.set_default_device("cuda:0")\n' + MODEL + TRAINING,
    "the first layer is not on cuda:0": changed(
        "{i * gpus // depth}", "{gpus - 1 - i * gpus // depth}"),
    "a constant that only some sizes fit": MODEL.replace(
        "DEPTH = 20", "DEPTH = 20\nPLAN = {6: '3 + 3', 20: '10 + 10'}[DEPTH]"),
}  # fmt: skip


@pytest.mark.parametrize("text", RIGHT.values(), ids=RIGHT)
def test_right_code_is_right(text, probing):
    prober = probing(text)
    run, training = prober.forward(7, 3), prober.train(7, 3)
    assert sorted(run.layers_per_gpu()) == [2, 2, 3]
    assert run.numbers.right, run.numbers
    assert training.changed
    assert training.numbers.right, training.numbers


def test_helpers_beside_the_script_are_found(probing):
    text = MODEL.replace("i * gpus // depth", "spread(i, gpus, depth)")
    text = text.replace("import torch\n", "from helper import spread\nimport torch\n", 1)
    files = {
        "code/hw3.py": text,
        "code/helper.py": "def spread(i, n, depth):\n    return i * n // depth\n",
    }
    assert probing(files).forward(7, 3).layers_per_gpu() == [3, 2, 2]


def test_data_files_beside_the_script_are_found(probing):
    text = changed(COUNT, '        gpus = int(open("gpus.txt").read())\n')
    files = {"src/hw3.py": text, "src/gpus.txt": "2"}
    assert probing(files).forward(6, 3).layers_per_gpu() == [3, 3, 0]


def test_a_script_called_like_a_module_of_python_hides_nothing(probing):
    prober = probing({"random.py": MODEL})
    assert prober.forward(7, 3).layers_per_gpu() == [3, 2, 2]
    assert prober.train(7, 3).numbers.right


# ------------------------------------------------------------------ questions to a person

UNKNOWN = {
    "forward takes more than the batch": changed("self, x", "self, x, target"),
    "forward returns a pair": changed("return x", "return x, x"),
    "the constructor needs something else": changed("dim, depth)", "dim, depth, profile)"),
    "sizes are written into the class": MODEL.replace("self, dim, depth", "self")
    .replace("dim, dim", "512, 512").replace("(depth)", "(20)").replace("// depth", "// 20"),
    "main() sets a global": changed(COUNT, "")
    .replace("DIM =", "gpus = 1\nDIM =")
    + "\ndef main():\n    global gpus\n    gpus = torch.cuda.device_count()\n",
    "a package is missing": "import no_such_package\n"
    + changed("nn.ReLU()", "no_such_package.Swish()"),
    "a helper was not handed in": "from my_helper import count\n" + changed(COUNT, ""),
    "a data file was not handed in": changed(COUNT, '        gpus = int(open("n.txt").read())\n'),
    "the script asks the user, and what we answer does not fit": changed(
        COUNT, "        gpus = {11: 2}[int(input('A prime number? '))]\n"),
    "the argument vector is read": "import sys\nGPUS = int(sys.argv[1])\n"
    + changed(COUNT, "        gpus = GPUS\n"),
    "lazy layers": changed("nn.Linear(dim, dim)", "nn.LazyLinear(dim)")
    .replace('layer.to(f"cuda:{i * gpus // depth}")', "layer"),
    "it fails when cut out of its script, which hangs": "COUNT = {}\n"
    "def setup(table):\n    table['gpus'] = 2\nsetup(COUNT)\n"
    + changed(COUNT, "        gpus = COUNT['gpus']\n") + "\nwhile True:\n    pass\n",
}  # fmt: skip


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_what_we_cannot_use_is_a_question_not_a_fault(text, probing):
    with pytest.raises(NeedsPerson) as told:
        probing(text, build=2.0).forward(6, 2)
    assert len(str(told.value)) > 20


def test_after_one_hang_of_the_script_no_probe_costs_points(probing):
    prober = probing(UNKNOWN["it fails when cut out of its script, which hangs"], build=2)
    for depth in (6, 7, 20):
        with pytest.raises(NeedsPerson):
            prober.forward(depth, 2)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_text_of_another_encoding_is_a_question(encoding, probing, tmp_path):
    prober = probing("placeholder")
    (prober.folder / "hw3.py").write_bytes(("NAME = 'Ülesanne'\n" + MODEL).encode(encoding))
    with pytest.raises(NeedsPerson, match="UTF-8"):
        prober.forward(6, 2)


def test_a_declared_encoding_is_heeded(probing):
    prober = probing("placeholder")
    text = "# -*- coding: latin-1 -*-\nÜ = 1\n" + MODEL
    (prober.folder / "hw3.py").write_bytes(text.encode("latin-1"))
    assert prober.forward(6, 2).layers_per_gpu() == [3, 3]


@pytest.mark.parametrize(
    "text",
    [
        changed(LAYER, "nn.Linear(dim, dim)").replace("layer(x)", "nn.functional.gelu(layer(x))"),
        changed("layer(x)", "x + layer(x)"),
        changed("nn.ReLU())", "nn.ReLU()).half()"),
        changed("        for layer", "        torch.set_autocast_enabled('cuda', True)\n"
                "        for layer"),
    ],
    ids=["gelu", "residual", "half precision", "autocast"],
)  # fmt: skip
def test_models_of_another_kind_are_neither_right_nor_wrong(text, probing):
    prober = probing(text)
    run, training = prober.forward(20, 2), prober.train(20, 2)
    assert run.numbers.right is None, run.numbers
    assert training.numbers.right is None, training.numbers
    assert training.changed


# ------------------------------------------------------------------ faults

FAULTS = {
    "a typo": (changed("gpus // depth", "gpu // depth"), "NameError.*hw3.py, line 15"),
    "a typo in a script that trains": (
        changed("gpus // depth", "gpu // depth") + TRAINING, "NameError.*hw3.py, line 15"),
    "no move in a script that trains": (
        changed("x = x.to(next(layer.parameters()).device)", "pass") + TRAINING,
        "Expected all tensors to be on the same device.*line 20"),
    "the last GPU is missed by one": (changed("{i *", "{1 + i *"), "invalid device ordinal"),
    "exit in forward": (changed("return x", "raise SystemExit(0)"), "SystemExit"),
    "death in forward": (changed("return x", "import os; os._exit(0)"), "ended in the middle"),
    "a syntax error": (MODEL + "def broken(:\n", "SyntaxError.*line 22"),
    "forward returns nothing": (changed("return x", "pass"), "returns nothing"),
    "an error that cannot be printed": (
        changed("return x", "raise Silent()")
        + "\nclass Silent(Exception):\n    def __str__(self):\n        raise Silent\n", "Silent"),
    "more memory than there is": (
        changed("return x", "return torch.empty(6 << 30, dtype=torch.uint8)"), "memory"),
    "an endless recursion": (changed("x = layer(x)", "x = self(x)"), "RecursionError"),
    "a segmentation fault": (
        changed("return x", "import ctypes; ctypes.string_at(0)"), "SIGSEGV"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says"), FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_code_is_told_with_its_place(text, says, probing):
    with pytest.raises(ProbeFailed, match=says) as told:
        probing(text).forward(6, 2)
    assert "\n" not in told.value.message


def test_a_fault_in_a_helper_names_the_helper(probing):
    files = {"hw3.py": "from helper import x\n" + MODEL, "helper.py": "x = 1\ny = = 2\n"}
    with pytest.raises(ProbeFailed, match=r"helper\.py, line 2") as told:
        probing(files).forward(6, 2)
    assert told.value.blocked


def test_control_characters_do_not_reach_reports(probing):
    text = changed("return x", r'raise RuntimeError("\x1b[2J\ud800 seen \u0007")')
    with pytest.raises(ProbeFailed, match="seen") as told:
        probing(text).forward(6, 2)
    assert told.value.message.isprintable()
    told.value.operator.encode("utf-8")


# ------------------------------------------------------------------ losses, bit for bit

ON_CPU = """\
import json, sys, torch
torch.set_num_threads(1)
given = json.load(sys.stdin)
tensor = lambda rows: torch.tensor(rows, dtype=torch.float32)
weights = [tensor(w).requires_grad_() for w in given["weights"]]
x, y = tensor(given["batch"]), tensor(given["target"])
optimizer = torch.optim.SGD(weights, lr=given["rate"])
for _ in range(given["steps"]):
    out = x
    for w, b in zip(weights[::2], weights[1::2]):
        out = torch.relu(torch.nn.functional.linear(out, w, b))
    loss = torch.nn.functional.mse_loss(out, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item().hex())
"""


def test_losses_on_virtual_gpus_equal_those_of_the_cpu_bit_for_bit(probing):
    prober = probing(MODEL)
    for gpus in (2, 5):
        built = prober._build(20, gpus)
        given = built.challenge
        seen = prober._steps(built, given).losses
        assert [loss.hex() for loss in seen] == losses_on_cpu(given)


def losses_on_cpu(given):
    """Plain torch in a process of its own, same weights and batch."""
    request = {
        "weights": [w.tolist() for w in given.weights],
        "batch": given.batch.tolist(),
        "target": given.target.tolist(),
        "rate": given.rate,
        "steps": given.steps,
    }
    plain = subprocess.run(
        [sys.executable, "-c", ON_CPU],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
        env={"OMP_NUM_THREADS": "1"},
    )
    return plain.stdout.split()
