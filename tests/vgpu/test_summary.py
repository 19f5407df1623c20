"""What `vgpu` prints at the end."""

from __future__ import annotations

from grader.trace import HOST, Op, Phase, Trace, Transfer
from grader.vgpu.summary import summary


def op(device: int, layer: str) -> Op:
    return Op("aten::addmm", device, layer, Phase.FORWARD, 0)


def test_everything_is_said() -> None:
    trace = Trace(
        devices=3,
        ops=[op(0, f"layers.{i}.0") for i in range(6)] + [op(1, "head"), op(HOST, "forgotten")],
        transfers=[
            Transfer(HOST, 0, 2048, "a.py:1", Phase.OTHER, None),
            *[Transfer(0, 1, 1 << 20, "a.py:2", Phase.FORWARD, 0)] * 2,
            Transfer(1, 0, 100, "a.py:3", Phase.BACKWARD, None),
        ],
        peak_memory=[3 << 30, 512, 0],
    )
    assert summary(trace).splitlines() == [
        "-- virtual GPUs: 3 -----------------------------------------------------",
        "GPU      peak memory  layers it ran in the first step",
        "cuda:0       3.0 GiB  6: layers.0.0, layers.1.0, ..., layers.5.0",
        "cuda:1         512 B  1: head",
        "cuda:2           0 B  none",
        "cpu                   1: forgotten",
        "transfers             copies  forward  backward  other         bytes",
        "cuda:0 -> cuda:1           2        2         0      0       2.0 MiB",
        "cuda:1 -> cuda:0           1        0         1      0         100 B",
        "cpu -> cuda:0              1        0         0      1       2.0 KiB",
        "-" * 72,
    ]


def test_a_quiet_run() -> None:
    text = summary(Trace(devices=1, peak_memory=[0], truncated=True))
    assert "Nothing moved between devices." in text
    assert "single ops are missing" in text


def test_models_chained_by_the_script_are_one_step() -> None:
    ops = [
        Op("aten::addmm", gpu, f"part{gpu}", Phase.FORWARD, step + gpu)
        for step in (0, 2)
        for gpu in (0, 1)
    ]
    ops.insert(2, Op("aten::mm", 1, None, Phase.BACKWARD, None))
    text = summary(Trace(devices=2, ops=ops, peak_memory=[0, 0]))
    assert [line.split("  ")[-1] for line in text.splitlines()[2:4]] == ["1: part0", "1: part1"]
