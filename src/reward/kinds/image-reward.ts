/** ImageReward as a reward (Xu et al. 2023, arXiv:2304.05977). */
import { isImageRewardAt, openImageReward, type ImageRewardNetwork } from '../../networks/blip/image-reward.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { encoderPlacement } from '../encoding/open-encoder.ts'
import type { Reward } from '../reward.ts'
import type { RewardKind } from './reward-kind.ts'

export const imageReward: RewardKind = {
  what: 'ImageReward (a .safetensors file, a folder, or RE-N-Y/ImageReward in the Hugging Face cache)',
  claims: isImageRewardAt,
  open: (name, config) => rewardOf(name, openImageReward(name, encoderPlacement(config))),
}

/**
 * Of a prompt's images the better one scores higher; about 0 in the mean over the images that it was trained on, with a deviation
 * of 1. Features are what the head reads: the state of the text's first token, which has seen the image.
 */
function rewardOf(name: string, network: ImageRewardNetwork): Reward {
  const scored = (pixels: Tensor, texts: readonly string[], rounded: boolean): Tensor => {
    using scope = tensorScope()
    return scope.keep(network.head(network.features(pixels, texts, { rounded })).to('cpu'))
  }
  return {
    name,
    sha256: network.sha256,
    range: undefined,
    isWithinPrompt: true,
    score: (pixels, texts) => scored(pixels, texts, true),
    scoreWithGradient: (pixels, texts) => scored(pixels, texts, false),
    embedImages(pixels) {
      using scope = tensorScope()
      const rows = network.imageFeatures(pixels)
      return scope.keep(rows.div(rows.square().sum(1, true).sqrt()).to('cpu'))
    },
    features: (pixels, texts) => network.features(pixels, texts, { rounded: true }),
    hollow: () => rewardOf(name, network.hollow()),
  }
}
