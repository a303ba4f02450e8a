/** The trainable part of a reward, in its two kinds: a function of the frozen embeddings of image and text. */
import { Weights } from '../../networks/weights.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { cat, zeros } from '../../tensor/create.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { agreementFeatures, agreementLogit } from './agreement-head.ts'
import { mlpFeatures, mlpLogit } from './mlp-head.ts'

/** `agreement` starts as the CLIP score and corrects it; `mlp` is that of Lee et al. */
export const headKinds = ['agreement', 'mlp'] as const
/** Which head is trained. */
export type HeadKind = (typeof headKinds)[number]

/** How a head and the CLIP score make a reward together: its logit is head · h(x, z) + clip · cos(x, z) + offset. */
export interface ClipMixture {
  /** Of what was learned, ≥ 0. */
  readonly head: number
  /** Logit per unit of cosine similarity, ≥ 0. */
  readonly clip: number
  readonly offset: number
}

/** The trained part of a reward: from embeddings to a score. */
export interface RewardHead {
  readonly kind: HeadKind
  readonly weights: Weights
  /** Without it the head has the whole say. */
  readonly mixture?: ClipMixture
}

/** A head before training, with all its parameters. @param width of the embeddings */
export function freshHead(kind: HeadKind, width: number, seed: number): RewardHead {
  const head = { kind, weights: Weights.fresh(seed) }
  using _scope = tensorScope()
  withoutGrad(() => headScore(head, zeros([1, width]), zeros([1, width])))
  return head
}

/** The same head on a device; its tensors are nobody's to free. */
export function headOn(device: string, head: RewardHead): RewardHead {
  if (head.weights.device === device) return head
  const tensors = unscoped(() => [...head.weights.tensors()].map(([name, one]) => [name, one.to(device)] as const))
  return { ...head, weights: Weights.of(new Map(tensors)) }
}

/** @returns reward [B] in (0, 1), the sigmoid of {@link headLogit} */
export function headScore(head: RewardHead, image: Tensor, text: Tensor): Tensor {
  return headLogit(head, image, text).sigmoid()
}

/**
 * The reward before its sigmoid. Of two images of one prompt the difference of their logits says which one is preferred.
 * @param image unit vectors [B, d]
 * @param text  unit vectors [B, d]
 * @returns     [B]
 */
export function headLogit(reward: RewardHead, image: Tensor, text: Tensor): Tensor {
  const learned = learnedLogit(reward, image, text)
  if (reward.mixture === undefined) return learned
  const { head, clip, offset } = reward.mixture
  return learned.mul(head).add(image.mul(text).sum(1).mul(clip)).add(offset)
}

function learnedLogit({ kind, weights }: RewardHead, image: Tensor, text: Tensor): Tensor {
  switch (kind) {
    case 'agreement':
      return agreementLogit(weights, image, text)
    case 'mlp':
      return mlpLogit(weights, image, text)
  }
}

/** What the score is computed from: [B, d + 256] of `agreement`, [B, 1024] of `mlp`, and d more of one mixed with the CLIP score. */
export function headFeatures({ kind, weights, mixture }: RewardHead, image: Tensor, text: Tensor): Tensor {
  switch (kind) {
    case 'agreement':
      return agreementFeatures(weights, image, text)
    case 'mlp': {
      const features = mlpFeatures(weights, image, text)
      const [, width] = image.shape
      return mixture === undefined ? features : cat([features, image.mul(text).mul(Math.sqrt(width))], 1)
    }
  }
}
