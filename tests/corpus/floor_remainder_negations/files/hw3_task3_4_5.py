import time
import torch
import torch.nn as nn
import torch.optim as optim

# Configuration
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20

# for the 2 GPU run: export CUDA_VISIBLE_DEVICES=0,1


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()

        # NEW: find all GPUs
        self.num_gpus = torch.cuda.device_count()
        print("Number of GPUs:", self.num_gpus)

        # NEW: how many layers go to one GPU
        self.layers_per_gpu = depth // self.num_gpus

        self.layers = nn.ModuleList()
        for i in range(depth):
            gpu_id = i // self.layers_per_gpu
            # NEW: the rest goes to the last GPU
            if gpu_id > self.num_gpus - 1:
                gpu_id = self.num_gpus - 1
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{gpu_id}")
            print(f"layer {i} -> GPU {gpu_id}")
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def main():
    model = LargeLinearModelMP(DIM, DEPTH)
    last_gpu = model.num_gpus - 1
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{last_gpu}")
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
        print(f"Step {step}: loss {loss.item():.4f}, time {end - start:.4f} s")
    print(f"Average step time: {sum(times[5:]) / len(times[5:]):.4f} s")
    for i in range(model.num_gpus):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i) / 1024**2:.1f} MB")


if __name__ == "__main__":
    main()
