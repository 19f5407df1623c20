from __future__ import annotations

import time

import pytest

from grader.intake import Table, tables_in


def values(table: Table, kind: str) -> list[list[float]]:
    column = table.column(kind)
    assert column is not None, [(c.label, c.kind) for c in table.columns]
    return [[q.value for q in cell.quantities] for cell in column.cells]


def only(text: str) -> Table:
    (table,) = tables_in(text)
    return table


def test_heads_above() -> None:
    table = only("Table 1\n| DEPTH | Step time (ms) |\n| 6 | 8.1 |\n| 12 | ~16.3 |\nAnswer")
    assert (table.line, table.transposed) == (1, False)
    assert values(table, "depth") == [[6], [12]]
    assert values(table, "time") == [[8.1], [16.3]]
    seconds = [row["time"].quantities[0].seconds for row in table.rows()]
    assert seconds == pytest.approx([0.0081, 0.0163])


def test_heads_at_the_left() -> None:
    table = only("| DEPTH | 6 | 12 | 24 |\n| Step time | 8.1 ms | 16 ms | 33 ms |")
    assert table.transposed
    assert values(table, "depth") == [[6], [12], [24]]
    assert values(table, "time") == [[8.1], [16], [33]]


def test_heads_at_the_left_without_a_corner() -> None:
    table = only("| | 2 GPUs | 5 GPUs |\n| Step time (s) | 3.1 | 3.4 |\n| Memory | 1 GB | 0.5 GB |")
    assert table.transposed
    assert values(table, "gpus") == [[2], [5]]
    assert values(table, "time") == [[3.1], [3.4]]
    assert values(table, "memory") == [[1], [0.5]]


def test_rows_that_name_one_kind_are_no_heads() -> None:
    table = only(
        "| Set up | Step Time (sec) | Total Time (sec) |\n| Single GPU | 0.1 | 3 |\n"
        "| 2 GPUs, parallel | 0.2 | 7 |\n| With 3 GPUs | 0.3 | 9 |\n| With 5 GPUs | 0.4 | 12 |"
    )
    assert not table.transposed
    assert values(table, "time") == [[0.1], [0.2], [0.3], [0.4]]


def test_several_values_in_a_cell() -> None:
    table = only(
        "| Configuration | Step time (s) | Peak memory per GPU (MiB) |\n"
        "| 2 GPUs | 3.149 | 1282.3, 1285.3 |\n"
        "| 5 GPUs | 3.497 | 514.1, 515.1, 515.1, 515.1, 517.1 |"
    )
    assert values(table, "gpus") == [[2], [5]]
    assert values(table, "time") == [[3.149], [3.497]]
    assert values(table, "memory")[1] == [514.1, 515.1, 515.1, 515.1, 517.1]
    memory = table.column("memory")
    assert memory is not None
    assert memory.cells[0].quantities[0].bytes == pytest.approx(1282.3 * 2**20)


def test_in_estonian_with_decimal_commas() -> None:
    table = only(
        "| GPU-sid | Sammu aeg (s) | Mälu (MiB) |\n| 2 | 3,149 | 1 282,3 |\n| 5 | 3,497 | 514 |"
    )
    assert values(table, "gpus") == [[2], [5]]
    assert values(table, "time") == [[3.149], [3.497]]
    assert values(table, "memory") == [[1282.3], [514]]
    table = only("| Kihtide arv | Aeg |\n| 6 | 3,149 s |\n| 12 | 6,120 s |")
    assert values(table, "time") == [[3.149], [6.12]]


def test_thousands() -> None:
    table = only("| Depth | Memory (MB) | Time (ms) |\n| 6 | 1,285 | 8.1 |\n| 12 | 2,570 | 16.2 |")
    assert values(table, "memory") == [[1285], [2570]]


def test_two_rows_of_heads() -> None:
    table = only(
        "| | 2 GPUs | | 5 GPUs | |\n| DEPTH | Time (ms) | Memory (MB) | Time (ms) | Memory (MB) |\n"
        "| 20 | 27 | 1285 | 28 | 517 |\n| 40 | 54 | 2570 | 56 | 1034 |"
    )
    assert [column.label for column in table.columns][:2] == ["DEPTH", "2 GPUs Time (ms)"]
    assert [column.kind for column in table.columns] == [
        "depth",
        "time",
        "memory",
        "time",
        "memory",
    ]


def test_a_row_that_goes_out_of_memory() -> None:
    table = only("| DEPTH | Step Time |\n| 6 | 8 ms |\n| 12 | 16 ms |\n| 24 | OOM |")
    assert values(table, "time") == [[8], [16], []]


def test_cells_that_lack_and_bars_within() -> None:
    table = only("| DEPTH | Step time (ms) | Remark |\n| 6 | 8 |\n| 12 | 16 | a \\| b |")
    assert [cell.text for cell in table.columns[2].cells] == ["", "a | b"]


def test_markdown_with_a_ruler() -> None:
    table = only("| DEPTH | Step time (ms) |\n|---|---:|\n| 6 | 8 |\n| 12 | 16 |")
    assert values(table, "depth") == [[6], [12]]


@pytest.mark.parametrize(
    "lines",
    [
        "DEPTH 6: 8.1 ms\nDEPTH 12: 16.3 ms",
        "- DEPTH = 6: 8.1 ms\n- DEPTH = 12: 16.3 ms",
        "6 layers: 8.1 ms\n12 layers: 16.3 ms",
        "DEPTH=6 -> 8.1 ms\nDEPTH=12 -> 16.3 ms",
        "6 kihti: 8,1 ms\n12 kihti: 16,3 ms",
    ],
)
def test_lists_that_are_tables(lines: str) -> None:
    table = only(f"Results\n{lines}\nThat is all.")
    assert values(table, "depth") == [[6], [12]]
    assert values(table, "time") == [[8.1], [16.3]]


def test_lists_of_several_values() -> None:
    table = only("2 GPUs: 27.1 ms, 1285 MiB\n5 GPUs: 27.9 ms, 517 MiB")
    assert values(table, "gpus") == [[2], [5]]
    assert values(table, "time") == [[27.1], [27.9]]
    assert values(table, "memory") == [[1285], [517]]


def test_transfers() -> None:
    text = "Number of transfers with 2 GPUs: 1\nNumber of transfers with 5 GPUs: 4"
    table = only(text)
    assert values(table, "gpus") == [[2], [5]]
    assert values(table, "transfers") == [[1], [4]]


@pytest.mark.parametrize(
    "prose",
    [
        "With 6 layers a step takes 8.1 ms.\nWith 12 layers it is slower.",
        "Q1: 3 layers\nQ2: at layer 3",
        "Task 1: 3 points\nTask 2: 3 points",
        "GPU 0: 3 layers\nGPU 1: 3 layers",
        "| a row alone |",
        "1. First\n2. Second",
    ],
)
def test_prose_is_no_table(prose: str) -> None:
    assert tables_in(prose) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "|" * 300_000,
        "| 1 " * 60_000 + "|",
        "1," * 150_000,
        "9" * 300_000,
        "DEPTH 6: 8 ms\n" * 20_000,
    ],
)
def test_hostile_tables_take_no_time(hostile: str) -> None:
    start = time.perf_counter()
    tables_in(f"{hostile}\n{hostile}")
    assert time.perf_counter() - start < 5
