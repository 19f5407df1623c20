from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake.quantities import Quantity, has_decimal_commas, quantities, unit_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8.1", [(8.1, None)]),
        ("0,81 s", [(0.81, "s")]),
        ("8,1", [(8.1, None)]),
        ("~1285 MiB", [(1285, "MiB")]),
        ("1.26GB", [(1.26, "GB")]),
        ("1,285.3 MB", [(1285.3, "MB")]),
        ("1.285,3 MB", [(1285.3, "MB")]),
        ("1,285", [(1285, None)]),
        ("1 039,4", [(1039.4, None)]),
        ("1\u00a0039.4 ms", [(1039.4, "ms")]),
        ("1'285", [(1285, None)]),
        ("8.1 ± 0.2 ms", [(8.1, "ms")]),
        ("8.1 (+/- 0.2) ms", [(8.1, "ms")]),
        ("10-12 ms", [(10, "ms"), (12, "ms")]),
        ("10–12 ms", [(10, "ms"), (12, "ms")]),
        ("-3 ms", [(-3, "ms")]),
        ("1282, 1285", [(1282, None), (1285, None)]),
        ("514.1, 515.1, 517.1 MiB", [(514.1, "MiB"), (515.1, "MiB"), (517.1, "MiB")]),
        ("1282 / 1285 MB", [(1282, "MB"), (1285, "MB")]),
        ("514,515,515,517", [(514, None), (515, None), (515, None), (517, None)]),
        ("GPU0: 1282 MiB, GPU1: 1285 MiB", [(1282, "MiB"), (1285, "MiB")]),
        ("GPU 0: 1282, GPU 1: 1285", [(1282, None), (1285, None)]),
        ("cuda:0 1282", [(1282, None)]),
        ("GPU 0", []),
        ("2 GPUs", [(2, "gpus")]),
        ("2xGPU", [(2, "gpus")]),
        ("5 GPU-ga", [(5, "gpus")]),
        ("DEPTH = 12", [(12, "layers")]),
        ("24 kihti", [(24, "layers")]),
        ("1.2e-3 s", [(0.0012, "s")]),
        ("3 × 10^-3 s", [(0.003, "s")]),
        ("250 µs", [(250, "us")]),
        ("8.1 мс", [(8.1, "ms")]),
        ("2 min 3", [(2, "min"), (3, None)]),
        ("OOM", []),
        ("n/a", []),
        ("-", []),
        ("torch 2.13.0", []),
        ("cuda:1", []),
    ],
)
def test_quantities(text: str, found: list[tuple[float, str | None]]) -> None:
    said = quantities(text)
    assert [q.unit for q in said] == [unit for _, unit in found]
    for quantity, (value, _) in zip(said, found, strict=True):
        assert math.isclose(quantity.value, value)


def test_what_a_comma_is_can_be_told() -> None:
    assert quantities("3,149", decimal_comma=True) == (Quantity(3.149),)
    assert quantities("1.285", decimal_comma=True) == (Quantity(1285.0),)
    assert quantities("8.25", decimal_comma=True) == (Quantity(8.25),)


@pytest.mark.parametrize(
    ("texts", "decimal"),
    [
        (["8,1", "1,285"], True),
        (["0,810", "3,149"], True),
        (["8.1", "1,285"], False),
        (["1,285", "2,570"], False),
        (["1,285.3"], False),
    ],
)
def test_decimal_commas(texts: list[str], decimal: bool) -> None:
    assert has_decimal_commas(texts) == decimal


@pytest.mark.parametrize(
    ("label", "unit"),
    [
        ("Step time (ms)", "ms"),
        ("Step Time [s]", "s"),
        ("time, s", "s"),
        ("time/ms", "ms"),
        ("Memory in GB", "GB"),
        ("Peak memory per GPU (MiB)", "MiB"),
        ("Sammu aeg (sekundit)", "s"),
        ("Step time ms", "ms"),
        ("GPUs", None),
        ("Number of layers", None),
        ("Memory", None),
    ],
)
def test_units_in_heads(label: str, unit: str | None) -> None:
    assert unit_in(label) == unit


def test_in_seconds_and_in_bytes() -> None:
    assert Quantity(8.5, "ms").seconds == pytest.approx(0.0085)
    assert Quantity(2, "MiB").bytes == 2 * 2**20
    assert Quantity(2, "MB").bytes == 2e6
    assert (Quantity(2, "MB").seconds, Quantity(2).bytes) == (None, None)


@given(st.text(alphabet=st.sampled_from("0123456789.,-−e ×10^'±GMiBs()\u00a0/~gpu")))
def test_any_text_can_be_asked(text: str) -> None:
    for quantity in quantities(text):
        assert isinstance(quantity.value, float)
