"""Plots, tables and progress bars do nothing, and nothing else is hidden by that."""

from __future__ import annotations

import builtins
import sys
import types

import pytest

from grader.sandbox import stand_ins
from grader.sandbox.faults import InterfaceGap


@pytest.fixture(autouse=True)
def _installed(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = dict(sys.modules)
    monkeypatch.setattr(stand_ins, "_used", {})
    monkeypatch.setattr(builtins, "get_ipython", None, raising=False)
    (tmp_path / "tabulate.py").write_text("def tabulate(rows):\n    return 'theirs'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    stand_ins.install(tmp_path)
    yield
    sys.modules.clear()
    sys.modules.update(before)


def run(text: str) -> dict:
    names: dict = {}
    exec(text, names)
    return names


def test_a_script_that_plots_runs_on() -> None:
    run(
        "import matplotlib\nmatplotlib.use('Agg')\n"
        "import matplotlib.pyplot as plt\nfrom matplotlib import pyplot, ticker\n"
        "fig, axes = plt.subplots(1, 2, figsize=(8, 3))\n"
        "axes[0].plot([1, 2], [3, 4], label='x'); axes[1].bar([1], [2])\n"
        "fig, ax = plt.subplots(); ax.set_title('t'); fig.savefig('a.png'); plt.show()\n"
        "fig, ((a, b), (c, d)) = plt.subplots(2, 2)\n"
    )
    assert stand_ins.used() == ["matplotlib"]


def test_tables_print_nothing(capsys) -> None:
    run(
        "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\ndf['b'] = df['a'] / 2 + 1\n"
        "print(df.to_string(), f'{df.a:>8}')\ndf.to_csv('x.csv')\n"
    )
    assert capsys.readouterr().out.strip() == ""


def test_progress_bars_hand_on_what_they_are_given() -> None:
    names = run(
        "from tqdm.auto import tqdm, trange\nimport tqdm as t\n"
        "seen = [i for i in tqdm(range(3), desc='x')] + list(trange(2)) + list(t.tqdm([7]))\n"
        "with tqdm(total=3) as bar:\n    bar.update(1)\n"
    )
    assert names["seen"] == [0, 1, 2, 0, 1, 7]


def test_what_torch_has_imported_is_replaced_as_well(tmp_path) -> None:
    sys.modules["tqdm"] = sys.modules["tqdm.std"] = types.ModuleType("tqdm")
    stand_ins.install(tmp_path)
    assert not {"tqdm", "tqdm.std"} & sys.modules.keys()


def test_decorators_give_back_the_function() -> None:
    names = run("from memory_profiler import profile\n@profile\ndef f():\n    return 5\n")
    assert names["f"]() == 5


@pytest.mark.parametrize("use", ["int({})", "len({})", "list({})", "range({})", "1 if {} else 2"])
def test_nothing_is_decided_by_what_is_not_there(use: str) -> None:
    with pytest.raises(InterfaceGap, match=r"pynvml\.nvmlDeviceGetCount"):
        run("import pynvml\n" + use.format("pynvml.nvmlDeviceGetCount()"))


def test_a_notebook_exported_as_a_script_runs_on() -> None:
    run("get_ipython().run_line_magic('matplotlib', 'inline')\nget_ipython().system('ls')\n")


def test_a_file_of_the_students_comes_first() -> None:
    assert run("import tabulate")["tabulate"].tabulate([]) == "theirs"


def test_other_packages_are_missing_as_before() -> None:
    with pytest.raises(ModuleNotFoundError):
        run("import no_such_package")
