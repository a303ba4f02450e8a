"""A small checkpoint like Stable Diffusion 1 and a small CLIP, with random weights: `checkpoint.py <folder>`; see compare.ts.

UNet 19.6 M parameters (widths 96, 192, 288) on 16 × 16 latents, an autoencoder to 64 × 64 pixels, CLIP that looks at as many.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "test" / "fixtures" / "stable-diffusion"))
import checkpoints as parts  # noqa: E402
from diffusers import PNDMScheduler, StableDiffusionPipeline  # noqa: E402
from transformers import CLIPConfig, CLIPModel, CLIPTextModel  # noqa: E402

folder = Path(sys.argv[1])
width = 128
text = parts.text_config(width, num_hidden_layers=4, num_attention_heads=4)
unet = parts.unet(
    1,
    sample_size=16,
    block_out_channels=[96, 192, 288],
    norm_num_groups=32,
    attention_head_dim=8,
    cross_attention_dim=width,
    down_block_types=["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types=["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
)
vae = parts.autoencoder(
    2,
    block_out_channels=[32, 64, 64],
    norm_num_groups=8,
    sample_size=64,
    down_block_types=["DownEncoderBlock2D"] * 3,
    up_block_types=["UpDecoderBlock2D"] * 3,
)
pipe = StableDiffusionPipeline(
    vae=vae,
    text_encoder=parts.randomise(CLIPTextModel(text), 3),
    tokenizer=parts.write_tokenizer(folder / "model" / "tokenizer"),
    unet=unet,
    scheduler=PNDMScheduler.from_config(parts.PNDM),
    safety_checker=None,
    feature_extractor=None,
    requires_safety_checker=False,
)
pipe.save_pretrained(folder / "model")
parts.finish(folder / "model", {"tokenizer": parts.END}, parts.PNDM)

vision = dict(
    hidden_size=width,
    intermediate_size=4 * width,
    projection_dim=64,
    num_hidden_layers=4,
    num_attention_heads=4,
    image_size=64,
    patch_size=8,
)
both = CLIPConfig(text_config=text.to_dict() | dict(projection_dim=64), vision_config=vision, projection_dim=64)
parts.randomise(CLIPModel(both), 4).save_pretrained(folder / "clip")
parts.write_tokenizer(folder / "clip")
