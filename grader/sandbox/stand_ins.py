"""Stand-ins for packages that draw, print or show progress: no point depends on what they do.

They are there whether the real package is installed or not, so that a grade is the same on every
machine and a plot costs nothing. Whatever one is asked for is another one. A decision on what it
would have said (`if df.empty`, a GPU count from pynvml) cannot be taken: InterfaceGap.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Iterable, Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, NoReturn

from grader.sandbox.faults import InterfaceGap

#: Packages by what they are imported as.
NAMES = frozenset(
    "matplotlib seaborn plotly bokeh altair graphviz torchviz hiddenlayer "  # pictures
    "pandas polars tabulate prettytable texttable openpyxl xlsxwriter "  # tables
    "tqdm alive_progress progressbar colorama termcolor humanize loguru "  # text
    "IPython ipywidgets google "  # notebooks
    "psutil pynvml py3nvml nvidia_smi GPUtil gpustat nvsmi memory_profiler line_profiler "  # meters
    "torchinfo torchsummary thop ptflops fvcore "  # summaries
    "wandb tensorboard tensorboardX mlflow comet_ml".split()  # logs
)

_used: dict[str, None] = {}


def install(folder: Path) -> None:
    """Answer imports of `NAMES` from now on, except of what the hand-in has files for."""
    setattr(builtins, "get_ipython", lambda: Inert("get_ipython()"))  # noqa: B010 - of an export
    names = NAMES - {entry.stem for entry in folder.iterdir()}
    if any(name in sys.modules for name in names):  # torch imports tqdm where there is one
        for name in [n for n in sys.modules if n.partition(".")[0] in names]:
            del sys.modules[name]
    sys.meta_path.insert(0, _Finder(names))


def used() -> list[str]:
    """The packages that were asked for so far."""
    return list(_used)


class Inert:
    """A value of a stand-in: anything may be done with it, and nothing comes of it."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert(f"{self.__dict__['_name']}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        """Nothing is kept."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What a decorator is given it gives back; all else is inert."""
        if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
            return args[0]
        return Inert(f"{self.__dict__['_name']}()")

    def __getitem__(self, _: object) -> Inert:
        return self

    def __setitem__(self, _: object, __: object) -> None:
        """Nothing is kept."""

    def __enter__(self) -> Inert:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was begun."""

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return ""

    def __format__(self, _: str) -> str:
        return ""

    def _undecided(self, *_: object) -> NoReturn:
        name = self.__dict__["_name"]
        raise InterfaceGap(f"the code goes by what {name} says, and only a stand-in is here")

    __bool__ = __len__ = __iter__ = __int__ = __index__ = __float__ = __contains__ = _undecided

    def _itself(self, *_: object) -> Inert:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _itself
    __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __pow__ = __neg__ = _itself
    __lt__ = __le__ = __gt__ = __ge__ = __or__ = __and__ = _itself


class _Module(types.ModuleType):
    """A module of which every name is there."""

    __version__ = "99.0"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert(f"{self.__name__}.{name}")


class _Finder(MetaPathFinder, Loader):
    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002
        target: types.ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._names:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        top = spec.name.partition(".")[0]
        _used[top] = None
        return _Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Give it the few things that a script cannot do without."""
        top, _, rest = module.__name__.partition(".")
        if top == "tqdm":
            vars(module).update(tqdm=Bar, trange=lambda *n, **_: Bar(range(*n)))
        elif (top, rest) == ("matplotlib", "pyplot"):
            vars(module).update(subplots=_subplots)


class Bar:
    """tqdm without its bar."""

    def __init__(self, iterable: Iterable[Any] = (), *_: object, **__: object) -> None:
        self.iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]  # as tqdm does

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was begun."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Inert(f"tqdm.{name}")

    @staticmethod
    def write(*texts: object, **_: object) -> None:
        """As tqdm does, without disturbing a bar."""
        sys.stdout.write("".join(map(str, texts)) + "\n")


def _subplots(nrows: int = 1, ncols: int = 1, **_: object) -> tuple[Inert, Any]:
    """A figure and its axes, in the shape in which they are unpacked."""
    axis = Inert("matplotlib.pyplot.Axes")
    if nrows == ncols == 1:
        axes: Any = axis
    elif 1 in (nrows, ncols):
        axes = [axis] * max(nrows, ncols)
    else:
        axes = [[axis] * ncols for _ in range(nrows)]
    return Inert("matplotlib.pyplot.Figure"), axes
