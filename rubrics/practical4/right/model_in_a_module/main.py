import torch
from net import build

device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
model = build(device)
model.eval()
with torch.no_grad():
    x = torch.randn(64, 1000, device=device)
    output = model(x)
    print(output.shape)

    halves = [x[:32], x[32:64]]
    joined = torch.vstack([model(half) for half in halves])
    print(joined.shape, (joined - output).abs().max().item())

    # the layers of the same model on two GPUs
    if torch.cuda.device_count() < 2:
        print("Mudeli paralleelsus vajab vähemalt kahte GPU-d.")
    else:
        first, second = model[:2], model[2].to("cuda:1")
        out = second(first(x).to("cuda:1"))
        print(out.shape, torch.allclose(out.to("cuda:0"), output, atol=1e-5))
