import check50
import check50.py


@check50.check()
def output():
    """The stack's output is right"""
    import torch

    model = check50.py.import_("stack.py").Stack(8, 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.1)
    seen = model(torch.ones(4, 8))[0, 0].item()
    if abs(seen - 0.82) > 1e-5:
        raise check50.Mismatch("0.82", str(seen))
