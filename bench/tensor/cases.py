"""The Python side of compare.ts; see cases.ts."""

import json
import re
import sys
import time

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
source = torch.Generator().manual_seed(0)


def randn(*shape):
    return torch.randn(shape, generator=source)


def small_operators():
    a, b, one = randn(1), randn(1), randn(1, 1)
    x, weight = randn(32, 32), randn(32, 32)
    q, image, kernel = randn(1, 2, 8, 16), randn(1, 4, 8, 8), randn(4, 4, 3, 3)
    return {
        "add": lambda: a + b,
        "add_": lambda: a.add_(b),
        "mul number": lambda: a * 1.5,
        "relu": lambda: a.relu(),
        "reshape": lambda: one.reshape(1),
        "sum": lambda: x.sum(1),
        "softmax": lambda: x.softmax(-1),
        "linear 32×32": lambda: F.linear(x, weight),
        "cat": lambda: torch.cat([x, weight], 0),
        "attention 8×16": lambda: F.scaled_dot_product_attention(q, q, q),
        "conv2d 8×8": lambda: F.conv2d(image, kernel, None, 1, 1),
    }


class Weights:
    def __init__(self):
        self.all = []

    def make(self, *shape):
        self.all.append(randn(*shape).mul_(0.05).requires_grad_())
        return self.all[-1]


def dit(weights):
    batch, tokens, width, heads = 8, 64, 256, 4
    blocks = [
        {
            "modulation": weights.make(4 * width, width),
            "gain": weights.make(width),
            "qkv": weights.make(3 * width, width),
            "out": weights.make(width, width),
            "up": weights.make(4 * width, width),
            "down": weights.make(width, 4 * width),
        }
        for _ in range(6)
    ]
    x = randn(batch, tokens, width)
    condition = randn(batch, width)
    target = randn(batch, tokens, width)

    def loss():
        h = x
        for block in blocks:
            modulation = F.linear(F.silu(condition), block["modulation"]).unsqueeze(1)
            part = [modulation[:, :, i * width : (i + 1) * width] for i in range(4)]
            y = F.rms_norm(h, (width,), block["gain"], 1e-6) * (part[0] + 1) + part[1]
            qkv = F.linear(y, block["qkv"]).reshape(batch, tokens, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
            y = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2])
            h = h + F.linear(y.transpose(1, 2).reshape(batch, tokens, width), block["out"])
            y = F.rms_norm(h, (width,), block["gain"], 1e-6) * (part[2] + 1) + part[3]
            h = h + F.linear(F.gelu(F.linear(y, block["up"])), block["down"])
        return (h - target).square().mean()

    return loss


def unet(weights):
    def residual(channels):
        gains = [weights.make(channels), weights.make(channels)]
        biases = [weights.make(channels), weights.make(channels)]
        kernels = [weights.make(channels, channels, 3, 3), weights.make(channels, channels, 3, 3)]

        def forward(x):
            y = x
            for i in range(2):
                y = F.conv2d(F.silu(F.group_norm(y, 8, gains[i], biases[i])), kernels[i], None, 1, 1)
            return x + y

        return forward

    first = weights.make(32, 3, 3, 3)
    high, again = residual(32), residual(32)
    down = weights.make(64, 32, 3, 3)
    low, lower = residual(64), residual(64)
    up = weights.make(32, 64 + 32, 3, 3)
    enlarge = weights.make(256, 64, 1, 1)
    last = weights.make(3, 32, 3, 3)
    x = randn(8, 3, 32, 32)
    target = randn(8, 3, 32, 32)

    def loss():
        h = high(F.conv2d(x, first, None, 1, 1))
        low_ = lower(low(F.conv2d(h, down, None, 2, 1)))
        large = F.conv2d(low_, enlarge).reshape(8, 64, 2, 2, 16, 16).permute(0, 1, 4, 2, 5, 3).reshape(8, 64, 32, 32)
        joined = again(F.conv2d(torch.cat([large, h], 1), up, None, 1, 1))
        return (F.conv2d(joined, last, None, 1, 1) - target).square().mean()

    return loss


def networks(make):
    weights = Weights()
    loss = make(weights)
    optimiser = torch.optim.AdamW(weights.all, lr=1e-3, weight_decay=0, fused=True)

    def training():
        value = loss()
        value.backward()
        optimiser.step()
        optimiser.zero_grad()
        return value.item()

    def inference():
        with torch.no_grad():
            return loss().item()

    return {"training": training, "inference": inference}


def repeated(call):
    def run():
        for _ in range(2000):
            call()
        return 0

    return run


name = sys.argv[1]
if name == "DiT":
    group = networks(dit)
elif name == "UNet":
    group = networks(unet)
else:
    group = {operator: repeated(call) for operator, call in small_operators().items()}
print(json.dumps({"cases": list(group), "torch": torch.__version__, "python": sys.version.split()[0]}), flush=True)
for line in map(str.strip, sys.stdin):
    if line == "peak":
        peak = re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())
        print(json.dumps({"megabytes": int(peak[1]) / 1024}), flush=True)
        continue
    begin = time.perf_counter()
    value = group[line]()
    print(json.dumps({"seconds": time.perf_counter() - begin, "value": value}), flush=True)
