"""The two models that loops.py trains: each with what it trains, its reference, and a reward."""

import copy
import math
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch.nn import functional as F


class StableDiffusion:
    """Networks of diffusers and transformers, adapters of peft."""

    def __init__(self, folder, start, full_copy, setup):
        from diffusers import AutoencoderKL, UNet2DConditionModel
        from peft import LoraConfig
        from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer

        folder = Path(folder)
        frozen = lambda network: network.eval().requires_grad_(False)
        self.unet = frozen(UNet2DConditionModel.from_pretrained(folder / "model" / "unet"))
        self.vae = frozen(AutoencoderKL.from_pretrained(folder / "model" / "vae"))
        self.text = frozen(CLIPTextModel.from_pretrained(folder / "model" / "text_encoder"))
        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "model" / "tokenizer")
        self.clip = frozen(CLIPModel.from_pretrained(folder / "clip"))
        self.copy = copy.deepcopy(self.unet) if full_copy else None
        self.unet.add_adapter(LoraConfig(r=8, lora_alpha=8, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
        named = dict(self.unet.named_parameters())
        self.trained = []
        for name, value in load_file(start).items():
            layer, part = name.removeprefix("unet.").split(".weight.lora.")
            parameter = named[f"{layer}.{dict(down='lora_A', up='lora_B')[part]}.default.weight"]
            parameter.data.copy_(value)
            self.trained.append(parameter)

    def ids(self, texts):
        return self.tokenizer(texts, padding="max_length", max_length=77, return_tensors="pt").input_ids

    def encode(self, texts):
        with torch.no_grad():
            return self.text(self.ids(texts)).last_hidden_state

    def select(self, encoded, rows):
        return encoded[rows]

    def predict(self, xt, t, encoded):
        return self.unet(xt, t, encoded, return_dict=False)[0]

    def predict_reference(self, xt, t, encoded):
        if self.copy is not None:
            return self.copy(xt, t, encoded, return_dict=False)[0]
        self.unet.disable_adapters()
        said = self.predict(xt, t, encoded)
        self.unet.enable_adapters()
        return said

    encode_reference = encode

    def reward(self, x0, texts):
        pixels = self.vae.decode(x0 / self.vae.config.scaling_factor, return_dict=False)[0].clamp(-1, 1)
        levels = (pixels.add(1).mul(127.5).add(0.5)).clamp(0, 255).to(torch.uint8).float() / 255
        mean, deviation = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
        shown = (levels - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(deviation).view(3, 1, 1)
        plain = lambda features: getattr(features, "pooler_output", features)
        images = F.normalize(plain(self.clip.get_image_features(shown)))
        prompts = F.normalize(plain(self.clip.get_text_features(self.ids(texts))))
        return self.clip.logit_scale.exp() * (images * prompts).sum(1)


class Embedded:
    """The embedded networks, as src/networks/embedded has them; what reads the prompt is trained."""

    def __init__(self, folder, start, full_copy, setup):
        self.frozen = load_file(Path(folder) / "generator.safetensors")
        self.clip = load_file(Path(folder) / "clip.safetensors")
        self.tokens = setup["tokens"]
        self.changed = load_file(start)
        if full_copy:
            self.frozen, self.policy = {k: v.clone() for k, v in self.frozen.items()}, dict(self.frozen)
        else:
            self.policy = dict(self.frozen)
        self.policy |= self.changed
        self.trained = [each.requires_grad_() for each in self.changed.values()]

    def encode(self, texts):
        return self.encode_by(self.policy, "textEncoder", texts)

    def encode_reference(self, texts):
        return self.encode_by(self.frozen, "textEncoder", texts)

    def encode_by(self, w, at, texts):
        ids = torch.tensor([self.tokens[text] for text in texts])
        words = (ids > 0).float()
        present = torch.maximum(words, (words.sum(1, keepdim=True) == 0).float().expand(-1, ids.shape[1]))
        mask = ((present - 1) * 1e4)[:, None, None, :]
        x = F.embedding(ids, w[f"{at}.token"]) + w[f"{at}.position"]
        for i in range(2):
            x = attend(w, f"{at}.layer.{i}.attention", x, mask=mask)
            x = feed_forward(w, f"{at}.layer.{i}.mlp", x)
        x = layer_norm(w, f"{at}.norm", x)
        return x, (x * (present / present.sum(1, keepdim=True))[..., None]).sum(1), mask

    def select(self, encoded, rows):
        return tuple(each[rows] for each in encoded)

    def predict(self, xt, t, encoded):
        return unet(self.policy, xt, t, *encoded)

    def predict_reference(self, xt, t, encoded):
        return unet(self.frozen, xt, t, *encoded)

    def reward(self, x0, texts):
        w = self.clip
        h = conv(w, "image.in", F.pixel_unshuffle(x0.clamp(-1, 1), 2))
        h = residual(w, "image.fine", h)
        h = conv(w, "image.shrink", F.pixel_unshuffle(h, 2))
        h = residual(w, "image.coarse.1", residual(w, "image.coarse.0", h))
        tokens = h.flatten(2).transpose(1, 2) + w["image.position"]
        tokens = feed_forward(w, "image.mlp", attend(w, "image.attention", tokens))
        tokens = layer_norm(w, "image.norm", tokens)
        images = F.normalize(linear(w, "imageProjection", torch.cat([tokens.mean(1), tokens.amax(1)], 1)))
        prompts = F.normalize(linear(w, "textProjection", self.encode_by(w, "text", texts)[1]))
        return 10 * (images * prompts).sum(1)


def linear(w, at, x):
    return F.linear(x, w[f"{at}.weight"], w.get(f"{at}.bias"))


def conv(w, at, x):
    weight = w[f"{at}.weight"]
    return F.conv2d(x, weight, w[f"{at}.bias"], padding=weight.shape[-1] // 2)


def layer_norm(w, at, x):
    return F.layer_norm(x, x.shape[-1:], w[f"{at}.weight"], w[f"{at}.bias"])


def group_norm(w, at, x):
    return F.group_norm(x, x.shape[1] // 8, w[f"{at}.weight"], w[f"{at}.bias"])


def residual(w, at, x, embedding=None):
    h = conv(w, f"{at}.conv1", F.silu(group_norm(w, f"{at}.norm1", x)))
    h = group_norm(w, f"{at}.norm2", h)
    if embedding is not None:
        scale, shift = linear(w, f"{at}.film", embedding)[..., None, None].chunk(2, 1)
        h = h * (scale + 1) + shift
    return x + conv(w, f"{at}.conv2", F.silu(h))


def attend(w, at, tokens, context=None, mask=None):
    heads = 4
    normed = layer_norm(w, f"{at}.norm", tokens)
    source = normed if context is None else context
    split = lambda y: y.unflatten(-1, (heads, -1)).transpose(1, 2)
    q, k, v = (split(linear(w, f"{at}.{name}", of)) for name, of in [("to_q", normed), ("to_k", source), ("to_v", source)])
    mixed = F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)
    return tokens + linear(w, f"{at}.to_out", mixed)


def feed_forward(w, at, x):
    return x + linear(w, f"{at}.down", F.gelu(linear(w, f"{at}.up", layer_norm(w, f"{at}.norm", x))))


def unet(w, x, t, tokens, pooled, mask):
    frequencies = torch.exp(-math.log(10_000) * torch.arange(32) / 32)
    angles = t.float()[:, None] * frequencies
    time = F.silu(linear(w, "unet.time1", torch.cat([angles.sin(), angles.cos()], 1)))
    embedding = F.silu(linear(w, "unet.time2", time) + linear(w, "unet.text", pooled))
    h = residual(w, "unet.down.0", conv(w, "unet.in", F.pixel_unshuffle(x, 2)), embedding)
    skip = h
    h = conv(w, "unet.shrink", F.pixel_unshuffle(h, 2))
    for i in range(4):
        h = residual(w, f"unet.middle.{i}", h, embedding)
        if i == 3:
            break
        side = h.shape[2:]
        places = h.flatten(2).transpose(1, 2)
        if i == 0:
            places = places + w["unet.position"]
        places = attend(w, f"unet.attention.{i}.self", places)
        places = attend(w, f"unet.attention.{i}.cross", places, tokens, mask)
        places = feed_forward(w, f"unet.attention.{i}.mlp", places)
        h = places.transpose(1, 2).unflatten(2, side)
    h = F.pixel_shuffle(conv(w, "unet.grow", h), 2)
    h = residual(w, "unet.up.0", conv(w, "unet.join", torch.cat([h, skip], 1)), embedding)
    return F.pixel_shuffle(conv(w, "unet.out", F.silu(group_norm(w, "unet.outNorm", h))), 2)
