# run:  python hw3_final_v2.py 20
import sys
import time
import torch
import torch.nn as nn
import torch.optim as optim

DIM = 4096
DEPTH = int(sys.argv[1])
BATCH_SIZE = 64
STEPS = 20

NUM_GPUS = torch.cuda.device_count()

print("=" * 60)
print("HOMEWORK 3")
print("torch version  :", torch.__version__)
print("DIM            :", DIM)
print("DEPTH          :", DEPTH)
print("found GPUs     :", NUM_GPUS)
for g in range(NUM_GPUS):
    print("   cuda:%d  %s" % (g, torch.cuda.get_device_name(g)))
print("=" * 60)


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        self.layers = nn.ModuleList()
        for i in range(depth):
            gpu_id = i % NUM_GPUS
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to("cuda:%d" % gpu_id)
            print("layer %d is put to cuda:%d" % (i, gpu_id))
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


print("building model ...")
model = LargeLinearModelMP(DIM, DEPTH)
print("model ready, parameters:", sum(p.numel() for p in model.parameters()))

optimizer = optim.SGD(model.parameters(), lr=0.01)
loss_fn = nn.MSELoss()

last_device = next(model.layers[-1].parameters()).device
print("output comes out on", last_device)

times = []
step = 0
while True:
    x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
    y = torch.randn(BATCH_SIZE, DIM).to(last_device)
    for g in range(NUM_GPUS):
        torch.cuda.synchronize(g)
    start = time.time()
    optimizer.zero_grad()
    output = model(x)
    if step == 0:
        print("output shape", tuple(output.shape), "on", output.device)
    loss = loss_fn(output, y)
    loss.backward()
    optimizer.step()
    for g in range(NUM_GPUS):
        torch.cuda.synchronize(g)
    end = time.time()
    times.append(end - start)
    print("step", step, "| loss", loss.item(), "| time", end - start)
    step += 1
    if step == STEPS:
        print("enough steps, stopping")
        break

print("-" * 60)
print("all times:", times)
print("AVERAGE (without first 5): %.5f s" % (sum(times[5:]) / len(times[5:])))
for g in range(NUM_GPUS):
    print("cuda:%d max memory %.1f MB" % (g, torch.cuda.max_memory_allocated(g) / 1024 ** 2))
print("-" * 60)
