"""What GPUs there are, and finding one by name."""

from __future__ import annotations

import pytest

from grader.errors import UsageError
from grader.vgpu.clock.spec import DEFAULT, PRESETS, Link, find
from grader.vgpu.settings import from_environment, to_environment


def test_the_presets_are_those_of_the_data_sheets() -> None:
    figures = {
        name: (spec.peak("float32") / 1e12, spec.peak("float16") / 1e12, spec.bandwidth / 1e9)
        for name, spec in PRESETS.items()
    }
    assert figures == {
        "T4": (8.1, 65, 300),
        "V100": (15.7, 125, 900),
        "A100": (19.5, 312, 2039),
        "H100": (67, 989.4, 3350),
        "H200": (67, 989.4, 4800),
    }
    assert {n: s.memory >> 30 for n, s in PRESETS.items()} == {
        "T4": 16, "V100": 32, "A100": 80, "H100": 80, "H200": 141,
    }  # fmt: skip
    assert all(s.launch == 0 for s in PRESETS.values())
    assert all(s.gpu_link.bandwidth >= s.host_link.bandwidth for s in PRESETS.values())


def test_a_dtype_without_a_peak_runs_at_that_of_float32() -> None:
    assert PRESETS["V100"].peak("bfloat16") == PRESETS["V100"].peak("float32") == 15.7e12
    assert PRESETS["A100"].peak("int64") == 19.5e12


def test_a_link_takes_latency_and_bandwidth() -> None:
    assert Link(bandwidth=2e9, latency=1e-6).seconds(4000) == 3e-6


def test_names_are_found_in_any_case() -> None:
    assert find(" h100 ") is PRESETS["H100"]
    assert find("A100") is DEFAULT
    assert from_environment(count=1, gpu="h200").gpu == "H200"


def test_an_unknown_name_lists_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError) as error:
        find("B52")
    assert str(error.value) == (
        "the kind of GPU; expected one of T4, V100, A100, H100, H200; found 'B52'"
    )
    monkeypatch.setenv("VGPU_GPU", "H1000")
    with pytest.raises(UsageError, match=r"^the environment variable VGPU_GPU; expected one of T4"):
        from_environment(count=1)
    monkeypatch.setenv("VGPU_GPU", "H200")
    assert to_environment(from_environment(count=1))["VGPU_GPU"] == "H200"
