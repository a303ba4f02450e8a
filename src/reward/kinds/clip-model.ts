/** CLIP and models that were fine-tuned from it on preferences, as rewards. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ClipEncoder } from '../../networks/clip/clip-encoder.ts'
import { embeddingReward } from '../embedding-reward.ts'
import { isHere, openEncoder } from '../encoding/open-encoder.ts'
import { rememberTexts } from '../encoding/text-cache.ts'
import type { Reward } from '../reward.ts'
import type { RewardKind } from './reward-kind.ts'

export const clipModel: RewardKind = {
  what: 'a CLIPModel such as PickScore, as transformers saves it (a folder, or owner/name in the Hugging Face cache)',
  claims: (name) => existsSync(join(name, 'config.json')) || (!existsSync(name) && isHere(name)),
  open: (name, config) => clipReward(name, rememberTexts(openEncoder(name, config))),
}

/**
 * exp(logit scale) · cos(image, text): the logits of CLIP's own training. PickScore and HPS v2 are CLIP ViT-H/14 with
 * other weights and this same function, with CLIP's own preprocessing: resized to 224 on the shorter side by bicubic
 * interpolation, cut to the middle square, normalised by CLIP's means and deviations; 77 tokens of text. HPS v2 is
 * usually told as the cosine, without the scale.
 *
 * Features are the products image_i · text_i · √d, whose sum is the score but for a factor. Images of CLIP have a large
 * mean in common, so the products also tell which prompt it is.
 *
 * @see Radford et al. 2021 (CLIP, arXiv:2103.00020), Figure 3; Kirstain et al. 2023 (PickScore, arXiv:2305.01569), §3
 */
export const clipReward = (name: string, encoder: ClipEncoder): Reward =>
  embeddingReward({
    name,
    sha256: encoder.sha256,
    range: undefined,
    isWithinPrompt: true,
    encoder,
    score: (images, texts) => images.mul(texts()).sum(1).mul(encoder.logitScale),
    features: (images, texts) => images.mul(texts).mul(Math.sqrt(encoder.width)),
  })
