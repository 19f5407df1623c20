# HW3  model parallel
# usage:  CUDA_VISIBLE_DEVICES=0,1 python modelpar.py
import time, torch
import torch.nn as nn

DIM, DEPTH, BATCH_SIZE, STEPS = 4096, 20, 64, 30

class LargeLinearModelMP(nn.Module):

    def __init__(self, dim, depth):
        super(LargeLinearModelMP, self).__init__()
        self.ngpu = torch.cuda.device_count()
        # cut points: gpu k owns layers cuts[k] .. cuts[k+1]-1
        self.cuts = [round(k * depth / self.ngpu) for k in range(self.ngpu + 1)]
        self.layers = nn.ModuleList()
        self.where = []
        for k in range(self.ngpu):
            torch.cuda.set_device(k)
            for i in range(self.cuts[k], self.cuts[k+1]):
                lay = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
                self.layers.append(lay.cuda(k))
                self.where.append(k)
        torch.cuda.set_device(0)

    def forward(self, x):
        for k, lay in zip(self.where, self.layers):
            torch.cuda.set_device(k)
            x = x.cuda(k)
            x = lay(x)
        torch.cuda.set_device(0)
        return x

def wait():
    for k in range(torch.cuda.device_count()):
        torch.cuda.synchronize(k)

def main():
    net = LargeLinearModelMP(DIM, DEPTH)
    print("gpus:", net.ngpu, "layers -> gpu:", net.where)
    opt = torch.optim.SGD(net.parameters(), lr=0.01)
    mse = nn.MSELoss()
    ts = []
    for s in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).cuda(0)
        y = torch.randn(BATCH_SIZE, DIM).cuda(net.where[-1])
        wait()
        t = time.time()
        opt.zero_grad()
        out = net(x)
        l = mse(out, y)
        l.backward()
        opt.step()
        wait()
        ts.append(time.time() - t)
    ts = ts[10:]
    print("avg step  %.1f ms   (min %.1f, max %.1f)" % (sum(ts)/len(ts)*1000, min(ts)*1000, max(ts)*1000))
    for k in range(net.ngpu):
        print("gpu %d: %.0f MB" % (k, torch.cuda.max_memory_allocated(k)/1024/1024))

if __name__ == '__main__':
    main()
