import pytest

from grader.checking.expect import expect


@pytest.mark.criterion("t1.output")
def test_output(submission):
    numbers = submission.forward(depth=2, gpus=1).numbers
    expect(
        numbers.right is True,
        expected="the output that these weights give",
        seen=numbers.problem or "right numbers",
        hint="Run every layer once, in order.",
    )
