/** CLIP and models that were fine-tuned from it on preferences, as rewards. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ClipEncoder } from '../../networks/clip/clip-encoder.ts'
import { scaledCosine } from '../embedding-reward.ts'
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
 * PickScore and HPS v2 are CLIP ViT-H/14 with other weights and the logit of CLIP, with its own preprocessing: resized to 224
 * on the shorter side by bicubic interpolation, cut to the middle square, normalised by CLIP's means and deviations; 77 tokens
 * of text. HPS v2 is usually told as the cosine, without the scale.
 */
export const clipReward = (name: string, encoder: ClipEncoder): Reward =>
  scaledCosine({ name, sha256: encoder.sha256, encoder, logitScale: encoder.logitScale })
