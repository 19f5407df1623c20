from otter.test_files import test_case

OK_FORMAT = False

name = "output"
points = 1


@test_case(points=1)
def test_output(Stack):  # noqa: N803 - otter finds the student's class by this name
    import torch

    model = Stack(8, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
    assert abs(model(torch.ones(4, 8))[0, 0].item() - 0.82) < 1e-5
