"""The Python side of compare.ts, by diffusers and transformers; see cases.ts."""

import json
import re
import sys
import time

import diffusers
import torch
import transformers

name, dtype, threads, file = sys.argv[1:]
config = json.loads(file)
torch.set_num_threads(int(threads))
torch.set_default_dtype(getattr(torch, dtype))
torch.manual_seed(0)


def network():
    if name == "unet":
        model = diffusers.UNet2DConditionModel.from_config(config)
        xt, tokens, t = torch.randn(2, 4, 64, 64), torch.randn(2, 77, 768), torch.tensor([981, 981])
        return model, lambda: model(xt, t, tokens, return_dict=False)[0]
    if name == "vae":
        model = diffusers.AutoencoderKL.from_config(config)
        latents = torch.randn(1, 4, 64, 64)
        return model, lambda: model.decode(latents, return_dict=False)[0]
    model = transformers.CLIPModel(transformers.CLIPConfig(**config))
    pixels, ids = torch.randn(1, 3, 224, 224), torch.randint(0, 49406, (1, 77))
    embed = lambda features: getattr(features, "pooler_output", features)
    return model, lambda: embed(model.get_image_features(pixels)) + embed(model.get_text_features(ids))


def memory(field):
    return int(re.search(rf"{field}:\s+(\d+)", open("/proc/self/status").read())[1]) / 1024


model, run = network()
model.eval().requires_grad_(False)
print(
    json.dumps(
        {
            "parameters": sum(each.numel() for each in model.parameters()),
            "megabytes": memory("VmRSS"),
            "version": f"diffusers {diffusers.__version__}, transformers {transformers.__version__}, "
            f"torch {torch.__version__}, Python {sys.version.split()[0]}",
        }
    ),
    flush=True,
)
for _ in sys.stdin:
    with torch.inference_mode(), open("/proc/self/clear_refs", "w") as peak:
        peak.write("5")
        peak.flush()
        begin, cpu = time.perf_counter(), time.process_time()
        result = run()
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu
        answer = {"seconds": seconds, "cpuSeconds": cpu_seconds, "megabytes": memory("VmHWM"), "shape": list(result.shape)}
        print(json.dumps({**answer, "finite": bool(result.isfinite().all())}), flush=True)
