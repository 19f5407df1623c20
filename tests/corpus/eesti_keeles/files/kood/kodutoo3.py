# Kodutöö 3 - mudeli paralleelsus
# Kasutamine:
#   python kodutoo3.py 20            (sügavus 20, kõik GPU-d)
#   CUDA_VISIBLE_DEVICES=0,1 python kodutoo3.py 20
import sys
import time

import torch
import torch.nn as nn
import torch.optim as optim

# Seadistus
DIM = 4096
DEPTH = 20
BATCH_SIZE = 64
STEPS = 20
SOOJENDUS = 5      # esimesi samme keskmise sisse ei arvesta


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        gpusid = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for g in range(gpusid):
            # GPU g saab kihid algus, algus + 1, ..., lopp - 1
            algus = g * depth // gpusid
            lopp = (g + 1) * depth // gpusid
            for _ in range(algus, lopp):
                kiht = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
                self.layers.append(kiht.to(torch.device("cuda", g)))
        self.ylekandeid = 0

    def forward(self, x):
        self.ylekandeid = 0
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            # kopeerime ainult siis, kui seade tegelikult muutub
            if x.device != layer_device:
                x = x.to(layer_device)
                self.ylekandeid += 1
            x = layer(x)
        return x


def synkrooni():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def treeni(depth):
    mudel = LargeLinearModelMP(DIM, depth)
    seadmed = [next(k.parameters()).device for k in mudel.layers]
    print("Kihtide paigutus:", [s.index for s in seadmed])

    optimeerija = optim.SGD(mudel.parameters(), lr=0.01)
    kaofunktsioon = nn.MSELoss()
    ajad = []
    for samm in range(STEPS):
        x = torch.randn(BATCH_SIZE, DIM).to(seadmed[0])
        y = torch.randn(BATCH_SIZE, DIM).to(seadmed[-1])
        synkrooni()
        algus = time.time()
        optimeerija.zero_grad()
        kadu = kaofunktsioon(mudel(x), y)
        kadu.backward()
        optimeerija.step()
        synkrooni()
        ajad.append(time.time() - algus)

    ajad = ajad[SOOJENDUS:]
    print(f"Sügavus {depth}: keskmine sammu aeg {1000 * sum(ajad) / len(ajad):.1f} ms")
    print(f"Ülekandeid GPU-de vahel: {mudel.ylekandeid}")
    for g in range(torch.cuda.device_count()):
        print(f"GPU {g}: {torch.cuda.max_memory_allocated(g) / 1024**2:.1f} MB")


if __name__ == "__main__":
    treeni(int(sys.argv[1]) if len(sys.argv) > 1 else DEPTH)
