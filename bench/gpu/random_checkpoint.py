"""Writes a checkpoint of Stable Diffusion 1.5's size with random weights, as diffusers saves one, and CLIP ViT-L/14 beside it.

    python3 bench/gpu/random_checkpoint.py FOLDER [--tiny]

FOLDER/model and FOLDER/clip, in fp16, with the tokenizers of the tests. What their images show means nothing; the time and the
memory that they take are those of real weights. `--tiny` tries it with small networks.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel

folder, tiny = Path(sys.argv[1]), "--tiny" in sys.argv
fixtures = Path(__file__).resolve().parents[2] / "test/fixtures/stable-diffusion"
torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")
torch.set_default_dtype(torch.float16)
torch.manual_seed(0)

width, layers = (32, 2) if tiny else (768, 12)
ids = json.loads((fixtures / "clip/config.json").read_text())["text_config"]
text = {
    **{"hidden_size": width, "intermediate_size": 4 * width, "num_attention_heads": width // 16 if tiny else 12},
    **{"num_hidden_layers": layers, "projection_dim": width},
    **{name: ids[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id")},
    "vocab_size": ids["vocab_size"] if tiny else 49408,
}
vision = {
    **{"hidden_size": 1024, "intermediate_size": 4096, "num_attention_heads": 16, "num_hidden_layers": 24},
    **{"patch_size": 14, "image_size": 224},
}
if tiny:
    vision = {**vision, "hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_hidden_layers": 2}
blocks = {"block_out_channels": (32, 64, 64, 64), "norm_num_groups": 8} if tiny else {}
levels = len(blocks.get("block_out_channels", (128, 256, 512, 512)))

model = folder / "model"
UNet2DConditionModel(
    sample_size=8 if tiny else 64, cross_attention_dim=width, attention_head_dim=4 if tiny else 8, **blocks
).save_pretrained(model / "unet")
AutoencoderKL(
    **{"block_out_channels": (128, 256, 512, 512), "sample_size": 64 if tiny else 512, "layers_per_block": 2, **blocks},
    down_block_types=("DownEncoderBlock2D",) * levels,
    up_block_types=("UpDecoderBlock2D",) * levels,
).save_pretrained(model / "vae")
CLIPTextModel(CLIPTextConfig(**text)).save_pretrained(model / "text_encoder")
DDIMScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False, steps_offset=1
).save_pretrained(model / "scheduler")
shutil.copytree(fixtures / "sd1/tokenizer", model / "tokenizer", dirs_exist_ok=True)
shutil.copy(fixtures / "sd1/model_index.json", model)
index = json.loads((model / "model_index.json").read_text())
(model / "model_index.json").write_text(json.dumps({**index, "scheduler": ["diffusers", "DDIMScheduler"]}))

clip = folder / "clip"
CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=width)).save_pretrained(clip)
for file in (fixtures / "clip").iterdir():
    if file.suffix != ".safetensors" and file.name != "config.json":
        shutil.copy(file, clip)
pixels = vision["image_size"]
pictures = json.loads((clip / "preprocessor_config.json").read_text())
sizes = {"crop_size": {"height": pixels, "width": pixels}, "size": {"shortest_edge": pixels}}
(clip / "preprocessor_config.json").write_text(json.dumps({**pictures, **sizes}))
