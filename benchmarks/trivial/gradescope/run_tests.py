import unittest
from pathlib import Path

import torch
from gradescope_utils.autograder_utils.decorators import weight
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner
from stack import Stack


class TestStack(unittest.TestCase):
    @weight(1)
    def test_output(self):
        model = Stack(8, 2)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.fill_(0.1)
        assert abs(model(torch.ones(4, 8))[0, 0].item() - 0.82) < 1e-5


if __name__ == "__main__":
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(TestStack)
    with Path("results.json").open("w") as file:
        JSONTestRunner(visibility="visible", stream=file).run(suite)
