"""Pages, pictures, traces and text of timelines made by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from grader.errors import UsageError
from grader.timeline import HOST, Gpu, Kind, Phase, Span, Timeline, merge
from grader.vgpu.clock import draw
from grader.vgpu.clock.chart import COLOURS
from grader.vgpu.clock.duration import duration
from grader.vgpu.clock.summary import summary

F, B, P = Phase.FORWARD, Phase.BACKWARD, Phase.OPTIMIZER
SVG = "{http://www.w3.org/2000/svg}"


def step(number: int, begin: float) -> list[Span]:
    """Forward on 0 and 1, back again, then both update: 10 µs in all."""
    rows = [
        (0, 0, 2, "aten::addmm", Kind.COMPUTE, F, "layers.0"),
        (0, 2, 3, "copy cuda:0 to cuda:1", Kind.COPY, F, None),
        (1, 3, 5, "aten::addmm", Kind.COMPUTE, F, "layers.1"),
        (1, 5, 8, "aten::mm", Kind.COMPUTE, B, "layers.1"),
        (0, 8, 9, "aten::mm", Kind.COMPUTE, B, "layers.0"),
        (0, 9, 10, "aten::add_", Kind.COMPUTE, P, None),
        (1, 8, 10, "aten::add_", Kind.COMPUTE, P, None),
    ]
    return [
        Span(g, 0, begin + a * 1e-6, begin + b * 1e-6, name, kind, phase, layer, 0, number,
             1 if kind is Kind.COPY else None, 64)
        for g, a, b, name, kind, phase, layer in rows
    ]  # fmt: skip


GPUS = [Gpu(0, 0), Gpu(0, 1), Gpu(0, 2)]
ONE = Timeline(GPUS, step(0, 1e-3), "A100")
THREE = Timeline(GPUS, [s for n in range(3) for s in step(n, 1e-3 + n * 2e-5)], "H100")


def texts(timeline: Timeline) -> list[str]:
    root = ET.fromstring(draw.FORMATS[".svg"](timeline))
    return ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]


def blocks(timeline: Timeline) -> list[tuple[str, float, str]]:
    """Title, width and colour of each block."""
    root = ET.fromstring(draw.FORMATS[".svg"](timeline))
    found = []
    for group in root.iter(f"{SVG}g"):
        title, rect = group.find(f"{SVG}title"), group.find(f"{SVG}rect")
        found.append((str(title.text), float(rect.get("width")), str(rect.get("fill"))))
    return found


def test_a_picture_shows_each_gpu_and_its_share() -> None:
    shown = texts(ONE)
    assert shown[0] == "Simulated timeline on 3 × A100"
    for expected in ("10.0 µs", "45.0%", "1", "Step 1", "GPU 0", "GPU 2", "40%", "70%", "0%"):
        assert expected in shown, expected


def test_blocks_are_as_long_as_they_last() -> None:
    found = {title: (width, colour) for title, width, colour in blocks(ONE)}
    plot = 968
    assert found["forward: layers.0\naddmm\n2.00 µs on GPU 0"] == (
        pytest.approx(plot * 0.2, abs=1),
        COLOURS["forward"],
    )
    assert found["copy\ncopy cuda:0 to cuda:1\n1.00 µs on GPU 0"] == (
        pytest.approx(plot * 0.1, abs=1),
        COLOURS["copy"],
    )
    assert found["backward: layers.1\nmm\n3.00 µs on GPU 1"][1] == COLOURS["backward"]
    assert len(found) == 7


def test_several_steps_have_a_second_panel() -> None:
    shown = texts(THREE)
    assert any(re.fullmatch("Step [123] of 3, which took the median time", t) for t in shown)
    assert [t for t in shown if t in ("All steps", "step 1", "step 2", "step 3")] == [
        "All steps",
        "step 1",
        "step 2",
        "step 3",
    ]


def test_what_cannot_be_seen_apart_is_one_block() -> None:
    tiny = [
        Span(0, 0, n * 1e-9, (n + 1) * 1e-9, f"aten::op{n % 9}", Kind.COMPUTE, F, f"layers.{n}")
        for n in range(100_000)
    ]
    found = blocks(Timeline([Gpu(0, 0)], tiny))
    assert len(found) < 1000
    title = found[0][0]
    assert title.startswith("forward: layers.0, …, layers.")
    assert "op0 ×" in title


def test_blocks_carry_the_layer_or_its_number() -> None:
    spans = [
        Span(0, 0, n * 1e-6, (n + 1) * 1e-6, "x", Kind.COMPUTE, F, f"layers.{n // 10}.0")
        for n in range(200)
    ]
    narrow = texts(Timeline([Gpu(0, 0)], spans))
    assert [t for t in narrow if re.fullmatch(r"\d|1\d", t)][-21:-1] == [str(n) for n in range(20)]
    shown = texts(Timeline([Gpu(0, 0)], spans[:20]))
    assert [t for t in shown if t.startswith("layers")] == ["layers.0.0", "layers.1.0"]


def test_ranks_and_streams_have_rows_of_their_own() -> None:
    side = ONE.spans[0]._replace(stream=7)
    both = merge([ONE, Timeline(GPUS, [*ONE.spans, side], "A100")])
    shown = texts(both)
    for expected in ("rank 0 · GPU 0", "rank 1 · GPU 1", "stream 7", "40%"):
        assert expected in shown, expected
    assert "rank 0 · GPU 2" not in shown


def test_names_from_a_script_are_no_markup() -> None:
    evil = ONE.spans[0]._replace(layer="</text><script>\x00\ud800", name='"&<')
    timeline = Timeline(GPUS, [evil])
    for text in (draw.FORMATS[".svg"](timeline), draw.FORMATS[".html"](timeline)):
        assert "<script" not in text
        text.encode("utf-8")
    assert any("</text><script>\ufffd\ufffd" in title for title, _, _ in blocks(timeline))


@pytest.mark.parametrize(
    "timeline",
    [
        Timeline([]),
        Timeline(GPUS),
        Timeline([Gpu(0, 0)], [Span(0, 0, 0.0, 1e-9, "x", Kind.COPY, peer=HOST)]),
        Timeline(GPUS, ONE.spans, truncated=True),
    ],
)
def test_small_timelines_are_drawn(timeline: Timeline) -> None:
    assert texts(timeline)[0].startswith("Simulated timeline")
    assert ("Nothing ran on a GPU." in texts(timeline)) == (not timeline.spans)
    assert ("cut short" in texts(timeline)) == timeline.truncated
    assert summary(timeline).startswith("simulated")


def test_a_page_needs_nothing_else() -> None:
    page = draw.FORMATS[".html"](THREE)
    assert page.startswith("<!doctype html>")
    assert page.count("<svg") == page.count("</svg>") == 1
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    assert not any(word in without_names for word in ("http", "src=", "<link", "@import"))


def test_chrome_traces_are_in_microseconds(tmp_path: Path) -> None:
    draw.write(ONE, tmp_path / "run.JSON")
    trace = json.loads((tmp_path / "run.JSON").read_text("utf-8"))
    events = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    first = events[0]
    assert (first["ts"], first["dur"]) == (pytest.approx(1000), pytest.approx(2))
    assert (first["pid"], first["tid"], first["cat"]) == (0, 0, "forward")
    assert first["args"] == {"layer": "layers.0", "step": 0, "bytes": 64}
    assert events[1]["args"]["peer"] == 1
    names = [e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"]
    assert names == ["rank 0 cuda:0", "rank 0 cuda:1", "rank 0 cuda:2"]


def test_the_ending_says_the_format(tmp_path: Path) -> None:
    for name, begin in (("a.html", "<!doctype"), ("a.svg", "<svg"), ("a.json", '{"display')):
        draw.write(ONE, tmp_path / name)
        assert (tmp_path / name).read_text("utf-8").startswith(begin)
    with pytest.raises(UsageError) as error:
        draw.write(ONE, tmp_path / "a.png")
    assert str(error.value) == (
        f"the timeline {tmp_path / 'a.png'}; expected a name that ends in .html, .svg, .json; "
        "found '.png'"
    )
    with pytest.raises(UsageError, match=r"cannot be written; found No such file"):
        draw.write(ONE, tmp_path / "no" / "folder.svg")


def test_a_summary_fits_a_terminal() -> None:
    lines = summary(THREE).splitlines()
    assert lines == [
        "simulated on 3 x H100: 3 steps, the median 10.0 µs",
        f"cuda:0    40.0% busy  {'#' * 16}{'.' * 24}",
        f"cuda:1    70.0% busy  {'#' * 28}{'.' * 12}",
        f"cuda:2     0.0% busy  {'.' * 40}",
        "idle 45.0% of the time (the bubble); at most 1 at once in forward and backward",
    ]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00 ns"), (1.234e-9, "1.23 ns"), (48e-6, "48.0 µs"), (0.9996e-3, "1.00 ms"),
     (0.1234, "123 ms"), (12.34, "12.3 s"), (9.996e-3, "10.0 ms")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
