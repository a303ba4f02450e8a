"""The PyTorch side of gpu.ts: the same work by diffusers' networks, eager; see there."""

import contextlib
import json
import subprocess
import sys
import time

import diffusers
import torch
from peft import LoraConfig
from torch.utils.flop_counter import FlopCounterMode

device, batches, steps, transitions, dtype, config = sys.argv[1:]
batches, steps, transitions = [int(batch) for batch in batches.split(",")], int(steps), int(transitions)
dtype, config = getattr(torch, dtype), json.loads(config)
side = config["side"]


def megabytes():
    if device == "cpu":
        return 0
    words = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", device[len("cuda:") :]]
    return int(subprocess.check_output(words, text=True))


def timed(work):
    for _ in range(2):
        began = time.perf_counter()
        work().float().sum().item()
        seconds = time.perf_counter() - began
    return seconds


def noise(*shape):
    return torch.randn(shape).to(device)


a = noise(config["matmul"], config["matmul"]).to(dtype)


def products():
    for _ in range(20):
        last = a @ a
    return last[0]


matmul = 2 * config["matmul"] ** 3 * 20 / timed(products) / 1e12

unet = diffusers.UNet2DConditionModel.from_config(config["unet"]).to(device, dtype).eval().requires_grad_(False)
vae = diffusers.AutoencoderKL.from_config(config["vae"]).to(device, dtype).eval().requires_grad_(False)
scheduler = diffusers.DDIMScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1
)
scheduler.set_timesteps(steps)
width = config["unet"]["cross_attention_dim"]

with torch.no_grad(), FlopCounterMode(display=False) as counter:
    unet(noise(1, 4, side, side).to(dtype), 500, noise(1, 77, width).to(dtype))

drawing = []
for batch in batches:
    tokens, start, each = noise(2 * batch, 77, width).to(dtype), noise(batch, 4, side, side), noise(steps, batch, 4, side, side)

    def draw():
        with torch.inference_mode():
            xt = start
            for i, t in enumerate(scheduler.timesteps.tolist()):
                both = unet(torch.cat([xt, xt]).to(dtype), t, tokens, return_dict=False)[0].float()
                empty, full = both.chunk(2)
                xt = scheduler.step(empty + 7.5 * (full - empty), t, xt, eta=1.0, variance_noise=each[i]).prev_sample
            return vae.decode((xt / vae.config.scaling_factor).to(dtype), return_dict=False)[0]

    drawing.append({"batch": batch, "seconds": timed(draw), "megabytes": megabytes()})

unet.add_adapter(LoraConfig(r=8, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
trained = [each for each in unet.parameters() if each.requires_grad]
for each in trained:
    each.data = each.data.float()
optimiser = torch.optim.AdamW(trained, lr=1e-4, fused=device != "cpu")
rows = 2 * transitions
xt, tokens = noise(rows, 4, side, side).to(dtype), noise(rows, 77, width).to(dtype)
t = torch.full((rows,), 500, device=device)
mixed = torch.autocast(device.split(":")[0], dtype, enabled=dtype != torch.float32)


def update(mixed, xt, tokens):
    with mixed:
        unet.disable_adapters()
        with torch.no_grad():
            reference = unet(xt, t, tokens, return_dict=False)[0]
        unet.enable_adapters()
        loss = (unet(xt, t, tokens, return_dict=False)[0] - reference).float().square().mean()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    optimiser.zero_grad()
    return loss.detach()


updates = [{"type": str(dtype).removeprefix("torch."), "seconds": timed(lambda: update(mixed, xt, tokens)), "megabytes": megabytes()}]
if dtype != torch.float32:
    torch.backends.cudnn.allow_tf32 = False
    unet.float()
    wide = contextlib.nullcontext()
    seconds = timed(lambda: update(wide, xt.float(), tokens.float()))
    updates.append({"type": "float32", "seconds": seconds, "megabytes": megabytes()})

print(
    json.dumps(
        {
            "flopPerRow": counter.get_total_flops(),
            "matmulTflops": matmul,
            "drawing": drawing,
            "updates": updates,
        }
    )
)
