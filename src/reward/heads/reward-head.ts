/** The trainable part of a reward, in its two kinds: a function of the frozen embeddings of image and text. */
import { Weights } from '../../networks/weights.ts'
import { withoutGrad } from '../../tensor/autograd.ts'
import { zeros } from '../../tensor/create.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { agreementFeatures, agreementLogit } from './agreement-head.ts'
import { mlpFeatures, mlpLogit } from './mlp-head.ts'

/** `agreement` starts as the CLIP score and corrects it; `mlp` is that of Lee et al. */
export const headKinds = ['agreement', 'mlp'] as const
/** Which head is trained. */
export type HeadKind = (typeof headKinds)[number]

/** The trained part of a reward: from embeddings to a score. */
export interface RewardHead {
  readonly kind: HeadKind
  readonly weights: Weights
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
  return { kind: head.kind, weights: Weights.of(new Map(tensors)) }
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
export function headLogit({ kind, weights }: RewardHead, image: Tensor, text: Tensor): Tensor {
  switch (kind) {
    case 'agreement':
      return agreementLogit(weights, image, text)
    case 'mlp':
      return mlpLogit(weights, image, text)
  }
}

/** What the score is computed from: [B, d + 256] of `agreement`, [B, 1024] of `mlp`. */
export function headFeatures({ kind, weights }: RewardHead, image: Tensor, text: Tensor): Tensor {
  switch (kind) {
    case 'agreement':
      return agreementFeatures(weights, image, text)
    case 'mlp':
      return mlpFeatures(weights, image, text)
  }
}
