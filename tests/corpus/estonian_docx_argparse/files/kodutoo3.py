# -*- coding: utf-8 -*-
"""Kodutöö 3 - mudeli jagamine mitme GPU vahel.

Näited:
    CUDA_VISIBLE_DEVICES=0,1       python kodutoo3.py --depth 20
    CUDA_VISIBLE_DEVICES=0,1,2,3,4 python kodutoo3.py --depth 20
"""
import argparse
import math
import time

import torch
import torch.nn as nn
import torch.optim as optim


def loe_argumendid():
    p = argparse.ArgumentParser(description="LargeLinearModelMP mitmel GPU-l")
    p.add_argument("--dim", type=int, default=4096, help="kihi laius")
    p.add_argument("--depth", type=int, default=20, help="kihtide arv")
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--steps", type=int, default=20)
    p.add_argument("--skip", type=int, default=5, help="soojendussammud, mida keskmisse ei arvestata")
    return p.parse_args()


class LargeLinearModelMP(nn.Module):
    def __init__(self, dim, depth):
        super().__init__()
        gpude_arv = torch.cuda.device_count()
        self.layers = nn.ModuleList()
        for i in range(depth):
            # kiht nr i+1 kuulub GPU-le, kelle osa sisse ta murdarvuna langeb
            gpu = math.ceil((i + 1) * gpude_arv / depth) - 1
            kiht = nn.Sequential(nn.Linear(dim, dim), nn.ReLU())
            self.layers.append(kiht.to(f"cuda:{gpu}"))

    def forward(self, x):
        for layer in self.layers:
            layer_device = next(layer.parameters()).device
            x = x.to(layer_device)
            x = layer(x)
        return x


def oota():
    for g in range(torch.cuda.device_count()):
        torch.cuda.synchronize(g)


def main():
    args = loe_argumendid()
    model = LargeLinearModelMP(args.dim, args.depth)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    loss_fn = nn.MSELoss()
    ajad = []
    for samm in range(args.steps):
        x = torch.randn(args.batch_size, args.dim)      # jääb protsessori mällu, forward tõstab ise GPU 0-le
        y = torch.randn(args.batch_size, args.dim)
        oota()
        algus = time.time()
        optimizer.zero_grad()
        valjund = model(x)
        loss = loss_fn(valjund, y.to(valjund.device))
        loss.backward()
        optimizer.step()
        oota()
        ajad.append(time.time() - algus)
        print(f"samm {samm:2d}  loss {loss.item():.4f}  {ajad[-1] * 1000:.1f} ms")
    ajad = ajad[args.skip:]
    print(f"depth={args.depth} GPU-sid={torch.cuda.device_count()} keskmine samm {sum(ajad) / len(ajad) * 1000:.1f} ms")
    for g in range(torch.cuda.device_count()):
        print(f"GPU {g}: {torch.cuda.max_memory_allocated(g) / 1024**2:.0f} MB")


if __name__ == "__main__":
    main()
