"""
Draws the images of an Attune run again with diffusers, and tells how far its pictures are from Attune's.

    pip install torch diffusers transformers peft safetensors pillow
    attune images generate --model MODEL --policy RUN --prompts prompts.txt --latents noise.safetensors --eta 0 --out drawn
    python scripts/compare_with_diffusers.py MODEL drawn noise.safetensors RUN/pytorch_lora_weights.safetensors

Without the LoRA file the pre-trained model is compared. `noise.safetensors` holds `latents` [images, C, h, w]; the option
--make-noise writes it for a number of images first. Ends with 1 where two pictures differ by more than 1 level of 255.
Last tried with torch 2.13.0, diffusers 0.42.1, transformers 5.23.0, peft 0.21.2.
"""
import argparse
import json
import warnings
from pathlib import Path

import numpy
import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from PIL import Image
from safetensors.torch import load_file, save_file

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument('model', help='checkpoint in the layout of diffusers')
parser.add_argument('drawn', type=Path, help='folder of `attune images generate`')
parser.add_argument('noise', type=Path, help='the file that --latents named')
parser.add_argument('lora', nargs='?', type=Path, help='pytorch_lora_weights.safetensors, or a file in the form of kohya')
parser.add_argument('--make-noise', type=int, metavar='IMAGES', help='writes the noise for so many images, and ends')
arguments = parser.parse_args()

pipe = DiffusionPipeline.from_pretrained(arguments.model)
pipe.set_progress_bar_config(disable=True)
if arguments.make_noise is not None:
    side = pipe.unet.config.sample_size
    shape = (arguments.make_noise, pipe.unet.config.in_channels, side, side)
    save_file({'latents': torch.randn(shape, generator=torch.Generator().manual_seed(0))}, arguments.noise)
    raise SystemExit(0)

pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
pipe.safety_checker = None
if arguments.lora is not None:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        pipe.load_lora_weights(str(arguments.lora.parent), weight_name=arguments.lora.name)
noise = load_file(arguments.noise)['latents']
records = [json.loads(line) for line in (arguments.drawn / 'images.jsonl').read_text().splitlines()]
worst = 0
for record in records:
    ours = numpy.asarray(Image.open(arguments.drawn / record['file']).convert('RGB')).astype(int)
    height, width, _ = ours.shape
    latents = noise[record['index']:record['index'] + 1] * pipe.scheduler.init_noise_sigma
    theirs = pipe(record['text'], latents=latents, num_inference_steps=record['steps'], eta=0.0, height=height,
                  width=width, guidance_scale=record['guidance'], output_type='np').images[0]
    difference = int(numpy.abs(ours - (theirs * 255).round().astype(int)).max())
    print(f"{record['file']}  {difference} of 255  {record['text']}")
    worst = max(worst, difference)
print(f'largest difference of {len(records)} images: {worst} of 255')
raise SystemExit(0 if worst <= 1 else 1)
