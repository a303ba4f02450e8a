"""The Python side of compare.ts: DPOK by PyTorch, one iteration a question. `loops.py <size> <manner> <threads> <setup>`.

`plain` does what Attune does: old means kept from the roll-outs, the reference by switching the adapters off, texts
encoded once. `public` works in the manner of the public DPOK code: old densities computed again before the updates, a
full copy of the network as reference, texts encoded at each step.
"""

import json
import math
import re
import sys
import time

import torch

from networks import Embedded, StableDiffusion

size, manner, threads, setup = sys.argv[1:]
setup = json.loads(setup)
torch.set_num_threads(int(threads))
is_public = manner == "public"
kinds = {"stable-diffusion": StableDiffusion, "embedded": Embedded}
model = kinds[size](setup["folder"], setup["start"], is_public, setup)
optimiser = torch.optim.AdamW(model.trained, lr=setup["learningRate"], weight_decay=0, fused=True)
steps, guidance, batch_size = setup["steps"], setup["guidance"], setup["batchSize"]
column = lambda name: torch.tensor([step[name] for step in steps], dtype=torch.float64)
alpha, alpha_prev, sigma = column("alphaBar"), column("alphaBarPrev"), column("sigma")
times = torch.tensor([step["t"] for step in steps])


def transition(said, xt, at):
    """Mean and deviation of DDIM(1)."""
    a, before, s = (values[at].view(-1, 1, 1, 1) for values in (alpha, alpha_prev, sigma))
    signal, noise, direction = a.sqrt().float(), (1 - a).sqrt().float(), (1 - before - s**2).clamp(min=0).sqrt().float()
    if setup["predictionType"] == "epsilon":
        x0, epsilon = (xt - noise * said) / signal, said
    else:
        x0, epsilon = said, (xt - signal * said) / noise
    return before.sqrt().float() * x0 + direction * epsilon, s.float()


def guided(predict, xt, t, encoded, rows):
    if guidance <= 1:
        return predict(xt, t, model.select(encoded, rows))
    both = model.select(encoded, torch.cat([torch.zeros_like(rows), rows]))
    empty, full = predict(torch.cat([xt, xt]), torch.cat([t, t]), both).chunk(2)
    return empty + guidance * (full - empty)


def rows_of(texts):
    """The distinct texts after the empty one, and the row of each text."""
    distinct = list(dict.fromkeys(["", *texts]))
    return distinct, torch.tensor([distinct.index(text) for text in texts])


@torch.no_grad()
def roll_out(texts, seeds):
    noise = torch.stack(
        [torch.randn([len(steps) + 1, *setup["stateShape"]], generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    )
    distinct, rows = rows_of(texts)
    encoded = model.encode(distinct)
    states, means = [noise[:, 0]], []
    for i in range(len(steps)):
        if is_public:
            encoded = model.encode(distinct)
        at = torch.full([len(texts)], i)
        mean, deviation = transition(guided(model.predict, states[-1], times[at], encoded, rows), states[-1], at)
        means.append(mean)
        states.append(mean + noise[:, i + 1] * deviation if steps[i]["stochastic"] else mean)
    return torch.stack(states, 1), torch.stack(means, 1), model.reward(states[-1], texts)


def act(encode, predict, xt, at, texts):
    distinct, rows = rows_of(texts)
    return transition(guided(predict, xt, times[at], encode(distinct), rows), xt, at)


def iterate(plan):
    texts = plan["texts"]
    parts = [
        roll_out(texts[i : i + batch_size], plan["seeds"][i : i + batch_size]) for i in range(0, len(texts), batch_size)
    ]
    states, means, rewards = (torch.cat(each) for each in zip(*parts))
    stochastic = sum(step["stochastic"] for step in steps)
    minibatches = []
    for places in plan["minibatches"]:
        parts = []
        for i in range(0, len(places), batch_size):
            rollout, at = torch.tensor(places[i : i + batch_size]).T
            own = [texts[row] for row in rollout]
            xt = states[rollout, at]
            old = means[rollout, at]
            if is_public:
                with torch.no_grad():
                    old, _ = act(model.encode, model.predict, xt, at, own)
            parts.append((own, at, xt, states[rollout, at + 1], old, rewards[rollout], len(at) / len(places)))
        minibatches.append(parts)
    losses, divergences, norms = [], [], []
    for parts in minibatches:
        loss_sum = kl_sum = 0
        for own, at, xt, x_prev, old, advantage, share in parts:
            with torch.no_grad():
                reference, _ = act(model.encode_reference, model.predict_reference, xt, at, own)
            mean, deviation = act(model.encode, model.predict, xt, at, own)
            shift = mean - old
            delta = (shift * (x_prev - old - shift / 2) / deviation**2).flatten(1).sum(1)
            bounded = delta.clamp(-20, 20)
            clipped = bounded.clamp(-setup["clipRange"], setup["clipRange"])
            objective = torch.minimum(bounded.exp() * advantage, clipped.exp() * advantage)
            surrogate = -torch.where(advantage < 0, torch.maximum(objective, 3 * advantage), objective)
            kl = ((mean - reference) ** 2 / (2 * deviation**2)).flatten(1).sum(1)
            policy_loss, kl = surrogate.mean() * stochastic, kl.mean() * stochastic
            ((policy_loss + setup["klWeight"] * kl) * share).backward()
            loss_sum += share * policy_loss.item()
            kl_sum += share * kl.item()
        norms.append(torch.nn.utils.clip_grad_norm_(model.trained, setup["maxGradNorm"]).item())
        for group in optimiser.param_groups:
            group["lr"] = plan["lr"]
        optimiser.step()
        optimiser.zero_grad()
        losses.append(loss_sum)
        divergences.append(kl_sum)
    average = lambda values: math.fsum(values) / len(values)
    return {
        "reward_mean": rewards.mean().item(),
        "policy_loss": average(losses),
        "kl": average(divergences),
        "grad_norm": average(norms),
    }


def peak():
    return int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024


print(json.dumps({"version": f"torch {torch.__version__}, Python {sys.version.split()[0]}"}), flush=True)
for line in sys.stdin:
    begin, cpu = time.perf_counter(), time.process_time()
    metrics = iterate(json.loads(line))
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu_seconds, "megabytes": peak(), "metrics": metrics}), flush=True)
