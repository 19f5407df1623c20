"""What is drawn from observations, and how much of it."""

from __future__ import annotations

import pytest
from reportlab.graphics.shapes import Drawing, Path, PolyLine, Rect, String
from scores import forward, observations, train

from grader.reports.loss_curve import Curve, loss_chart
from grader.reports.memory import memory_columns, memory_unit
from grader.reports.points_bar import Segment, points_bar
from grader.reports.runs import Run, runs
from grader.reports.strip import layer_strip


def of(drawing: Drawing, kind: type) -> list:
    return [shape for shape in drawing.contents if isinstance(shape, kind)]


def words(drawing: Drawing) -> list[str]:
    return [shape.text for shape in of(drawing, String)]


# ---------------------------------------------------------------------- which runs


def test_the_depth_that_was_trained_on_each_number_of_gpus():
    two, five = runs(observations())
    assert (two.depth, two.gpus, two.per_gpu, two.transfers) == (20, 2, [10, 10], 1)
    assert (five.depth, five.gpus, five.per_gpu, five.transfers) == (20, 5, [4] * 5, 4)
    assert five.memory[0] == 290_816
    assert len(two.losses) == 5


def test_a_number_of_gpus_that_was_not_trained_is_drawn_too():
    seen = [forward(2, [0, 1]), forward(5, [0, 1]), train(2, [1.0], [1, 1]), forward(1, [0], 30)]
    assert [(run.depth, run.gpus, run.trained) for run in runs(seen)] == [
        (20, 2, True),
        (20, 5, None),
    ]


def test_without_training_the_largest_depth():
    (run,) = runs([forward(2, [0, 1], depth=2), forward(3, [0, 1, 2], depth=3)])
    assert (run.depth, run.gpus, run.losses) == (3, 3, ())


def test_an_observation_that_went_well_wins_over_one_that_did_not():
    bad = {"probe": "forward", "depth": 4, "gpus": 2, "error": "first try"}
    (run,) = runs([bad, forward(2, [0, 0, 1, 1], depth=4)])
    assert run.per_gpu == [2, 2]
    assert run.errors == ()


@pytest.mark.parametrize(
    "observation",
    [
        {},
        {"probe": "train", "depth": "20", "gpus": 5},
        {"probe": "train", "depth": 0, "gpus": 5},
        {"probe": "train", "depth": 20, "gpus": -1},
        {"probe": "train", "depth": True, "gpus": True},
        {"probe": "train", "depth": 20, "gpus": 10**9},
    ],
)
def test_observations_of_another_shape_are_left_out(observation):
    assert runs([observation]) == []


@pytest.mark.parametrize("placement", [None, "0011", [0, 5], [0, -2], [0.0, 1], [True]])
def test_a_placement_of_another_shape_is_not_drawn(placement):
    (run,) = runs([forward(2, [0, 1], depth=2) | {"placement": placement}])
    assert run.placement == ()


def test_losses_end_where_they_stop_being_numbers():
    (run,) = runs([train(2, [2.0, 1.0, float("inf"), 0.5], [], depth=2)])
    assert run.usable_losses == (2.0, 1.0)
    (odd,) = runs([train(2, [2.0, "x"], [], depth=2)])
    assert odd.losses == ()
    (huge,) = runs([train(2, [1, 10**400, 1.0], [], depth=2)])
    assert huge.usable_losses == (1.0,)


# ---------------------------------------------------------------------- the strip


@pytest.mark.parametrize(
    ("placement", "arrows"),
    [
        ([layer // 10 for layer in range(20)], 1),
        ([layer // 4 for layer in range(20)], 4),
        ([layer % 5 for layer in range(20)], 19),
        ([layer % 16 for layer in range(100)], 99),
        ([0], 0),
        ([-1, 0, 0], 1),
    ],
)
def test_an_arrow_per_change_of_gpu(placement, arrows):
    drawing = layer_strip(placement, 480)
    assert len(of(drawing, Path)) == arrows
    assert len(of(drawing, Rect)) == len(placement)
    blocks = [text for text in words(drawing) if text]
    assert blocks.count("CPU") == placement.count(-1)
    assert {str(gpu) for gpu in placement if gpu >= 0} <= set(blocks)


def test_deep_models_wrap_into_rows():
    rows = {rect.y for rect in of(layer_strip([0] * 100, 480), Rect)}
    assert len(rows) == 4


# ---------------------------------------------------------------------- charts


def test_memory_columns_are_to_scale_and_carry_figures():
    two, five = Run(20, 2, memory=(2_000_000, 1_000_000)), Run(20, 5, memory=(500_000,) * 5)
    drawing = memory_columns([two, five], 200)
    heights = [rect.height for rect in of(drawing, Rect)]
    assert heights[1] == pytest.approx(heights[0] / 2)
    assert heights[2] == pytest.approx(heights[0] / 4)
    assert memory_unit([two, five]) == (1024**2, "MiB")
    assert words(drawing).count("0.48") == 5
    assert {"1.9", "0.95", "2 GPUs", "5 GPUs"} <= set(words(drawing))


@pytest.mark.parametrize(
    ("peak", "unit"), [(0, "bytes"), (1023, "bytes"), (1024, "KiB"), (5 * 2**30, "GiB")]
)
def test_memory_units(peak, unit):
    assert memory_unit([Run(1, 1, memory=(peak,))])[1] == unit


@pytest.mark.parametrize(
    "losses",
    [
        *[(1.0,), (2.0, 1.0), (0.0, 0.0), (-1.0, 1.0), (1e-300, 2e-300), (1e29, 1.0)],
        *[(0.1 + 0.2, 0.3), (5e-324, 0.0), tuple(1 / n for n in range(1, 500))],
    ],
)
def test_the_curve_stays_inside_its_drawing(losses):
    drawing = loss_chart([Curve("2 GPUs", losses), Curve("5 GPUs", losses[::-1])], 250)
    lines = of(drawing, PolyLine)
    assert len(lines) == (4 if len(losses) > 1 else 2)  # two curves and their legend
    for line in lines:
        assert all(0 <= x <= drawing.width for x in line.points[::2])
        assert all(0 <= y <= drawing.height for y in line.points[1::2])
    assert {"2 GPUs", "5 GPUs", "training step"} <= set(words(drawing))


def test_the_bar_divides_its_width_by_points():
    one = Segment("T1", "1 / 2", earned=1, waiting=0, possible=2)
    two = Segment("T2", "… / 6", earned=0, waiting=6, possible=6)
    pale, earned, whole, waiting = of(points_bar([one, two], 400), Rect)
    assert pale.width == pytest.approx(98)
    assert earned.width == pytest.approx(49)
    assert waiting.width == whole.width == pytest.approx(298)
