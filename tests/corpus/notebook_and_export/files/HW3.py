#!/usr/bin/env python
# coding: utf-8

# # Home Work 3
# 
# Model parallelism. Answers are in the PDF, this is the code + raw output.

# In[1]:


get_ipython().system('nvidia-smi -L')


# In[2]:


import time
import torch
import torch.nn as nn
import torch.optim as optim

print(torch.__version__, torch.cuda.device_count())


# In[3]:


DIM = 4096
BATCH_SIZE = 64
STEPS = 20


# ## Task 3 - dynamic class
# 
# (also used for Task 2 with 2 GPUs, there it splits exactly like the original)

# In[4]:


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth, n_gpus=None):
        super().__init__()
        if n_gpus is None:
            n_gpus = torch.cuda.device_count()      # all of them

        # deal the layers out one by one, then sort -> contiguous blocks
        self.layer_to_gpu = sorted(i % n_gpus for i in range(depth))

        self.layers = nn.ModuleList()
        for gpu in self.layer_to_gpu:
            layer = nn.Sequential(nn.Linear(dim, dim), nn.ReLU()).to(f"cuda:{gpu}")
            self.layers.append(layer)

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


# In[5]:


m = LargeLinearModelMP(64, 20)
m.layer_to_gpu


# In[6]:


def run(depth, n_gpus=None):
    n_gpus = n_gpus or torch.cuda.device_count()
    for g in range(n_gpus):
        torch.cuda.reset_peak_memory_stats(g)
    model = LargeLinearModelMP(DIM, depth, n_gpus)
    opt = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    times = []
    for step in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to("cuda:0")
        y = torch.randn(BATCH_SIZE, DIM).to(f"cuda:{n_gpus - 1}")
        for g in range(n_gpus):
            torch.cuda.synchronize(g)
        start = time.time()
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        for g in range(n_gpus):
            torch.cuda.synchronize(g)
        times.append(time.time() - start)
    avg = sum(times[5:]) / len(times[5:])
    mem = [round(torch.cuda.max_memory_allocated(g) / 2**20) for g in range(n_gpus)]
    print(f"depth {depth:2d}  gpus {n_gpus}  step {avg * 1000:.2f} ms  mem {mem} MiB")
    return avg


# ## Task 2

# In[7]:


for depth in (6, 12, 24):
    run(depth, n_gpus=min(2, torch.cuda.device_count()))
    torch.cuda.empty_cache()


# ## Task 4

# In[8]:


for n in (2, 5):
    if n <= torch.cuda.device_count():
        run(20, n)
        torch.cuda.empty_cache()


# ## Task 5 - count the hops

# In[9]:


from collections import Counter

def count(depth, n_gpus):
    where = sorted(i % n_gpus for i in range(depth))
    prev, c = 0, Counter()
    for w in where:
        c["called"] += 1
        if w != prev:
            c["really copied"] += 1
        prev = w
    return dict(c)

count(20, 2), count(20, 5)

