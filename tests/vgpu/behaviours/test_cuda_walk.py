"""No public name of torch.cuda or torch.accelerator is forgotten, in any version of torch."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest
import torch

from grader.vgpu.patches import surface

MODULES = surface.submodules()
REFUSED = [
    (module, name, hint)
    for module, name, hint in surface.refused()
    if hasattr(MODULES.get(module), name)
]
#: Helpers that torch's modules import, by their home.
FOREIGN = ("typing", "types", "collections", "functools", "contextlib", "importlib", "abc")
#: Where the names of a submodule are told of: these two are filled from their packages.
SAME = {
    "torch.cuda.memory": "torch.cuda",
    "torch.cuda.random": "torch.cuda",
    "torch.cuda.streams": "torch.cuda",
    "torch.cuda.graphs": "torch.cuda",
    "torch.accelerator.memory": "torch.accelerator",
    "torch.accelerator.random": "torch.accelerator",
    "torch.accelerator.graphs": "torch.accelerator",
}


def classified(module: str) -> set[str]:
    tables = [surface.WORKS, surface.HARMLESS, *(names for _, names in surface.REFUSED)]
    return {name for table in tables for name in table.get(module, "").split()}


def offered(module: str) -> set[str]:
    """Public names that the module lists, defines or re-exports from its own package."""
    home = MODULES[module]
    names = set(getattr(home, "__all__", ()))
    for name, value in vars(home).items():
        source = getattr(value, "__module__", None) or ""
        if inspect.isroutine(value) or inspect.isclass(value):
            if source.startswith(("torch.cuda", "torch.accelerator", "grader.vgpu")):
                names.add(name)
        elif not inspect.ismodule(value) and not source.startswith(FOREIGN) and name.isupper():
            names.add(name)
    return {
        name
        for name in names
        if not name.startswith("_")
        and name not in ("TYPE_CHECKING", "PAGE_SIZE")
        and not inspect.ismodule(getattr(home, name, None))
        and not _is_passed_on(name, home)
    }


def _is_passed_on(name: str, home: ModuleType) -> bool:
    """Whether a submodule merely imports what torch.cuda itself offers."""
    missing = object()
    value = getattr(home, name, missing)
    return home is not torch.cuda and value is getattr(torch.cuda, name, None)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_every_name_has_its_place(module: str) -> None:
    known = classified(module) | classified(SAME.get(module, module))
    forgotten = sorted(offered(module) - known)
    assert not forgotten, f"{module}: say what it does on virtual GPUs: {' '.join(forgotten)}"


def test_the_walk_sees_a_new_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def brand_new() -> None: ...

    brand_new.__module__ = "torch.cuda"
    monkeypatch.setattr(torch.cuda, "brand_new", brand_new, raising=False)
    with pytest.raises(AssertionError, match="say what it does on virtual GPUs: brand_new"):
        test_every_name_has_its_place("torch.cuda")


def test_no_name_has_two_places() -> None:
    places = [
        f"{module}.{name}"
        for table in (surface.WORKS, surface.HARMLESS, *(names for _, names in surface.REFUSED))
        for module, names in table.items()
        for name in names.split()
    ]
    assert len(places) == len(set(places))


@pytest.mark.parametrize(("module", "name", "hint"), REFUSED)
def test_what_is_refused_says_so(module: str, name: str, hint: str) -> None:
    refused = getattr(MODULES[module], name)
    with pytest.raises(NotImplementedError) as caught:
        refused()
    text = str(caught.value)
    assert text.endswith(f".{name}: virtual GPUs do not have it; {hint}")
    assert text.startswith(("torch.cuda.", "torch.accelerator."))


def test_what_works_answers_without_arguments() -> None:
    """A call that reaches for CUDA's own library or a driver would raise."""
    asked = 0
    for name in surface.WORKS["torch.cuda"].split():
        function = getattr(torch.cuda, name, None)
        if not inspect.isfunction(function) or name in ("init", "seed", "seed_all"):
            continue
        needed = [
            p
            for p in inspect.signature(function).parameters.values()
            if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
        if not needed:
            asked += 1
            assert "lazy" not in repr(function()).lower(), name
    assert asked > 30


def test_features_that_are_not_there_answer_no() -> None:
    answers = {
        f"{module}.{name}": getattr(MODULES[module], name)()
        for module, names in surface._NO.items()
        for name in names
        if hasattr(MODULES.get(module), name)
    }
    assert answers["torch.cuda.tunable.is_enabled"] is False
    assert set(answers.values()) == {False}


def test_a_storage_cannot_be_made_but_its_type_is_there() -> None:
    assert torch.cuda.FloatStorage in torch._storage_classes
    with pytest.raises(NotImplementedError, match=r"torch\.cuda\.FloatStorage: virtual GPUs do"):
        torch.cuda.FloatStorage(3)


def test_ranges_answer_their_depth() -> None:
    from torch.cuda import nvtx

    assert (nvtx.range_push("a"), nvtx.range_push("b")) == (0, 1)
    assert (nvtx.range_pop(), nvtx.range_pop(), nvtx.range_pop()) == (1, 0, -1)
    first, second = nvtx.range_start("a"), nvtx.range_start("b")
    assert first != second
    assert [nvtx.range_end(first), nvtx.mark("here")] == [None, None]
    with nvtx.range("step {}", 1):
        assert nvtx.range_push("inside") == 1
        nvtx.range_pop()
    with torch.cuda.profiler.profile():
        assert torch.ones(2, device="cuda").sum().item() == 2


def test_capturing_a_graph_is_refused_and_explained() -> None:
    with pytest.raises(NotImplementedError, match=r"torch\.cuda\.CUDAGraph: virtual GPUs do not"):
        torch.cuda.CUDAGraph()
    assert not torch.cuda.is_current_stream_capturing()
    assert not isinstance(3, torch.cuda.CUDAGraph)


def test_waiting_is_not_reported() -> None:
    torch.cuda.set_sync_debug_mode("default")
    assert torch.cuda.get_sync_debug_mode() == 0
    with pytest.raises(NotImplementedError, match="set_sync_debug_mode"):
        torch.cuda.set_sync_debug_mode("warn")
