"""PyTorch's side of gpu.ts: the same cases by diffusers' networks, `eager` or `compiled`; see there."""

import contextlib
import copy
import json
import statistics
import sys
import time

import diffusers
import torch
from peft import LoraConfig
from torch.utils.flop_counter import FlopCounterMode

manner, setup = sys.argv[1:]
setup = json.loads(setup)
compiled, device, rounds, steps = manner == "compiled", setup["device"], setup["rounds"], setup["steps"]
dtype = getattr(torch, setup["dtype"])
on_gpu = device != "cpu"
batches = setup["batches"][-1:] if compiled else setup["batches"]
torch.backends.cudnn.allow_tf32 = False
side, width = setup["side"], setup["unet"]["cross_attention_dim"]


def tell(**figures):
    print(json.dumps(figures), flush=True)


def measure(name, work, times=rounds):
    seconds = []
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    for _ in range(times + 1):
        began = time.perf_counter()
        work().float().sum().item()
        seconds.append(time.perf_counter() - began)
    counted = sorted(seconds[1:])
    peak = torch.cuda.max_memory_allocated() // 2**20 if on_gpu else None
    tell(name=name, seconds=statistics.median_low(counted), least=counted[0], most=counted[-1], megabytes=peak)


def noise(*shape):
    return torch.randn(shape).to(device)


def products():
    for _ in range(setup["products"]["count"]):
        last = a @ a
    return last[0]


a = noise(setup["products"]["side"], setup["products"]["side"]).to(dtype)
measure("matmul", products)

unet = diffusers.UNet2DConditionModel.from_config(setup["unet"]).to(device, dtype).eval().requires_grad_(False)
vae = diffusers.AutoencoderKL.from_config(setup["vae"]).to(device, dtype).eval().requires_grad_(False)
scheduler = diffusers.DDIMScheduler.from_config(setup["scheduler"])
scheduler.set_timesteps(steps)
if not compiled:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        unet(noise(1, 4, side, side).to(dtype), 500, noise(1, 77, width).to(dtype))
    tell(flopPerRow=counter.get_total_flops())
else:
    unet, vae = unet.to(memory_format=torch.channels_last), vae.to(memory_format=torch.channels_last)
predict = torch.compile(unet) if compiled else unet


def guided(network, xt, t, tokens):
    both = network(torch.cat([xt, xt]).to(tokens.dtype), t, tokens, return_dict=False)[0].float()
    empty, full = both.chunk(2)
    return empty + 7.5 * (full - empty)


def roll_out(network, tokens):
    """States and noise of each step as DDIM(1) draws them."""
    batch = len(tokens) // 2
    each = torch.randn(steps + 1, batch, 4, side, side).to(device)
    states = [each[0]]
    for i, t in enumerate(scheduler.timesteps.tolist()):
        said = guided(network, states[-1], t, tokens)
        states.append(scheduler.step(said, t, states[-1], eta=1.0, variance_noise=each[i + 1]).prev_sample)
    return states


@torch.inference_mode()
def draw(tokens):
    x0 = roll_out(predict, tokens)[-1]
    return vae.decode((x0 / vae.config.scaling_factor).to(dtype), return_dict=False)[0]


for batch in batches:
    tokens = noise(2 * batch, 77, width).to(dtype)
    measure(f"draw {batch}", lambda: draw(tokens))

if compiled:
    with torch.inference_mode():
        rows = 2 * batches[-1]
        xt, tokens = noise(rows, 4, side, side).to(dtype), noise(rows, 77, width).to(dtype)
        measure(f"pass of {rows} rows by places", lambda: predict(xt, 500, tokens, return_dict=False)[0])
    sys.exit()

with torch.inference_mode():
    for rows in [2 * batch for batch in batches]:
        xt, tokens = noise(rows, 4, side, side).to(dtype), noise(rows, 77, width).to(dtype)
        measure(f"pass of {rows} rows by rows", lambda: unet(xt, 500, tokens, return_dict=False)[0])


def trained_by(network):
    network.add_adapter(LoraConfig(r=8, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    trained = [each for each in network.parameters() if each.requires_grad]
    return trained, torch.optim.AdamW(trained, lr=1e-5, fused=on_gpu)


@contextlib.contextmanager
def reference_of(network):
    network.disable_adapters()
    with torch.no_grad():
        yield
    network.enable_adapters()


def step(trained, optimiser):
    torch.nn.utils.clip_grad_norm_(trained, 1.0)
    optimiser.step()
    optimiser.zero_grad()


# Adapters in the type of the network: no autocast, and no casts.
for type in dict.fromkeys([dtype, torch.float32]):
    network = copy.deepcopy(unet).to(type)
    trained, optimiser = trained_by(network)
    rows = 2 * setup["transitions"]
    xt, tokens = noise(rows, 4, side, side).to(type), noise(rows, 77, width).to(type)
    t = torch.full((rows,), 500, device=device)

    def update():
        with reference_of(network):
            reference = network(xt, t, tokens, return_dict=False)[0]
        loss = (network(xt, t, tokens, return_dict=False)[0] - reference).float().square().mean()
        loss.backward()
        step(trained, optimiser)
        return loss.detach()

    name = str(type).removeprefix("torch.")
    measure(f"update in {name}", update)

# Rolls out in the narrow type and trains in float32, the old means computed again, as Attune does; adapters of both are one.
wide, (drawn, _) = network, trained_by(unet)
alpha = scheduler.alphas_cumprod.to(device)
before = torch.cat([alpha[scheduler.timesteps[1:]], alpha[:1]])
now = alpha[scheduler.timesteps]
sigma = ((1 - before) / (1 - now) * (1 - now / before)).sqrt()
times = scheduler.timesteps.to(device)


def mean_of(said, xt, at):
    a, b, s = (values[at].view(-1, 1, 1, 1) for values in (now, before, sigma))
    x0 = (xt - (1 - a).sqrt() * said) / a.sqrt()
    return b.sqrt() * x0 + (1 - b - s**2).clamp(min=0).sqrt() * said


def act(xt, at, tokens):
    return mean_of(guided(wide, xt, times[at].repeat(2), tokens), xt, at)


def iterate():
    for ours, theirs in zip(drawn, trained):
        ours.data.copy_(theirs.data)
    count, largest = setup["rollouts"], batches[-1]
    states, rewards = [], []
    tokens = noise(2 * count, 77, width)
    both = lambda rows: torch.cat([tokens[:count][rows], tokens[count:][rows]])
    with torch.no_grad():
        for i in range(0, count, largest):
            part = roll_out(unet, both(slice(i, i + largest)).to(dtype))
            pixels = vae.decode((part[-1] / vae.config.scaling_factor).to(dtype), return_dict=False)[0]
            states.append(torch.stack(part, 1))
            rewards.append(pixels.float().flatten(1).mean(1))
    states, rewards = torch.cat(states), torch.cat(rewards)
    places = torch.randperm(count * steps)[: 2 * count].to(device)
    at_once = max(1, largest // 4) if dtype != torch.float32 else largest
    minibatches = [
        [(part // steps, part % steps) for part in minibatch.split(at_once)] for minibatch in places.chunk(2)
    ]
    with torch.no_grad():
        old = [[act(states[row, at], at, both(row)) for row, at in minibatch] for minibatch in minibatches]
    for minibatch, means in zip(minibatches, old):
        for (row, at), before_update in zip(minibatch, means):
            xt, x_prev, deviation = states[row, at], states[row, at + 1], sigma[at].view(-1, 1, 1, 1)
            with reference_of(wide):
                reference = act(xt, at, both(row))
            mean = act(xt, at, both(row))
            shift = mean - before_update
            delta = (shift * (x_prev - before_update - shift / 2) / deviation**2).flatten(1).sum(1)
            ratio, bounded = delta.clamp(-20, 20).exp(), delta.clamp(-0.2, 0.2).exp()
            surrogate = -torch.minimum(ratio * rewards[row], bounded * rewards[row])
            kl = ((mean - reference) ** 2 / (2 * deviation**2)).flatten(1).sum(1)
            ((surrogate.mean() + 0.01 * kl.mean()) * steps * len(row) / count).backward()
        step(trained, optimiser)
    return rewards


measure("iteration", iterate, min(rounds, 2))
