import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20


def get_device(layer_idx, depth):
    """which GPU for this layer"""
    num_gpus = torch.cuda.device_count()
    layers_per_gpu = depth // num_gpus
    gpu = layer_idx // layers_per_gpu
    if gpu >= num_gpus:        # the layers that are left over
        gpu = num_gpus - 1
    return torch.device('cuda:' + str(gpu))


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            device = get_device(i, depth)
            print('layer', i, 'on', device)
            self.layers.append(nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(device))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to('cuda:0')
        y = torch.randn(BATCH_SIZE, DIM).to(get_device(DEPTH - 1, DEPTH))
        torch.cuda.synchronize()
        start = time.time()
        optimizer.zero_grad()
        output = model(x)
        loss = loss_fn(output, y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        end = time.time()
        times.append(end - start)
        print(f'Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s')
    print(f'Average step time: {sum(times[5:]) / len(times[5:]):.4f} s')
    for i in range(torch.cuda.device_count()):
        print(f'GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB')


if __name__ == '__main__':
    main()
