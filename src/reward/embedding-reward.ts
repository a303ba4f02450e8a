/** What all rewards on frozen embeddings have in common: they differ in what they make of them. */
import type { ImageTextEncoder } from '../networks/image-text-encoder.ts'
import { tensorScope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Reward } from './reward.ts'

/** Functions of the unit vectors of images [B, d] and of their prompts [B, d]. */
interface OnEmbeddings extends Pick<Reward, 'name' | 'sha256' | 'range' | 'isWithinPrompt'> {
  readonly encoder: ImageTextEncoder
  /** On the CPU. @param texts embedded where they are asked for @returns [B] */
  score(images: Tensor, texts: () => Tensor): Tensor
  /** On the encoder's device. @returns [B, f] */
  features(images: Tensor, texts: Tensor): Tensor
}

/**
 * exp(logit scale) · cos(image, text): the logits of CLIP's own training, and of what was fine-tuned from it on pairs.
 *
 * Features are the products image_i · text_i · √d, whose sum is the score but for a factor. Images of CLIP have a large
 * mean in common, so the products also tell which prompt it is.
 *
 * @see Radford et al. 2021 (CLIP, arXiv:2103.00020), Figure 3; Kirstain et al. 2023 (PickScore, arXiv:2305.01569), §3
 */
export const scaledCosine = ({
  logitScale,
  ...own
}: Pick<OnEmbeddings, 'name' | 'sha256' | 'encoder'> & { readonly logitScale: number }): Reward =>
  embeddingReward({
    ...own,
    ...{ range: undefined, isWithinPrompt: true },
    score: (images, texts) => images.mul(texts()).sum(1).mul(logitScale),
    features: (images, texts) => images.mul(texts).mul(Math.sqrt(own.encoder.width)),
  })

export function embeddingReward(own: OnEmbeddings): Reward {
  const { name, sha256, range, isWithinPrompt, encoder, score, features } = own
  const { hollow } = encoder
  const embedImages = (pixels: Tensor) => encoder.embedImages(pixels).to('cpu')
  const embedTexts = (texts: readonly string[]) => encoder.embedTexts(texts).to('cpu')
  return {
    name,
    sha256,
    range,
    ...(isWithinPrompt && { isWithinPrompt }),
    embedImages,
    score(pixels, texts) {
      using scope = tensorScope()
      return scope.keep(score(embedImages(pixels), () => embedTexts(texts)))
    },
    scoreWithGradient(pixels, texts) {
      using scope = tensorScope()
      return scope.keep(score(encoder.embedWithGradient(pixels).to('cpu'), () => embedTexts(texts)))
    },
    features(pixels, texts) {
      using scope = tensorScope()
      return scope.keep(features(encoder.embedImages(pixels), encoder.embedTexts(texts)))
    },
    ...(hollow && { hollow: () => embeddingReward({ ...own, encoder: hollow() }) }),
  }
}
