# HOMEWORK 3
import torch, time
from torch import nn
import torch.optim as optim

DIM=4096
DEPTH=20
BATCH_SIZE=64
STEPS=20

NUM_GPUS=torch.cuda.device_count()
print("Detected", NUM_GPUS, "GPUs")

class LargeLinearModelMP(nn.Module):
    def __init__(self,dim,depth):
        super(LargeLinearModelMP,self).__init__()
        self.num_gpus=torch.cuda.device_count()
        self.devices=[torch.device("cuda:0"),torch.device("cuda:1")]
        self.layers=nn.ModuleList()
        for i in range(depth):
            if i<depth//2:
                device=self.devices[0]
            else:
                device=self.devices[1]
            layer=nn.Sequential(nn.Linear(dim,dim),nn.ReLU()).to(device)
            self.layers.append(layer)

    def forward(self,x):
        for layer in self.layers:
            layer_device=next(layer.parameters()).device
            x=x.to(layer_device)
            x=layer(x)
        return x

def main():
    model=LargeLinearModelMP(DIM,DEPTH)
    for i,l in enumerate(model.layers):
        print("layer",i,"on",next(l.parameters()).device)
    optimizer=optim.SGD(model.parameters(),lr=0.01)
    loss_fn=nn.MSELoss()
    times=[]
    for step in range(STEPS):
        x=torch.randn(BATCH_SIZE,DIM).to(model.devices[0])
        y=torch.randn(BATCH_SIZE,DIM).to(model.devices[-1])
        torch.cuda.synchronize()
        start=time.time()
        optimizer.zero_grad()
        output=model(x)
        loss=loss_fn(output,y)
        loss.backward()
        optimizer.step()
        torch.cuda.synchronize()
        end=time.time()
        times.append(end-start)
        print(f"Step {step}: loss {loss.item():.4f}, time {end-start:.4f} s")
    print(f"Average step time: {sum(times[5:])/len(times[5:]):.4f} s")
    for i in range(NUM_GPUS):
        print(f"GPU {i} memory: {torch.cuda.max_memory_allocated(i)/1024**2:.1f} MB")

if __name__=="__main__":
    main()
