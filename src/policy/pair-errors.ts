/** How well two models know the images of pairs under the same noise, and what that says of which image is better. */
import { denoisingLoss } from '../diffusion/denoising-loss.ts'
import { encodePrompts, guidedPredictor } from '../images/guided.ts'
import { policyOf, type CleanStates, type GenerativeModel } from '../networks/generative-model.ts'
import type { Tensor } from '../tensor/tensor.ts'

/** The time and the noise of states. */
export interface Noise {
  /** Times as the process draws them, [B], on the CPU. */
  readonly t: Tensor
  /** [B, …], on the CPU. */
  readonly epsilon: Tensor
}

/** Both images of B pairs, [2B, …]: the better ones first, then the worse ones with the same times and noises. */
export interface NoisyPairs extends CleanStates, Noise {
  readonly texts: readonly string[]
}

/** Squared errors of a model on B pairs, means over elements, [B] each. */
export interface PairErrors {
  readonly better: Tensor
  readonly worse: Tensor
}

/** Errors of a model on pairs, on its own prediction type and without guidance. @throws {ShapeError} */
export function pairErrors(model: GenerativeModel, { x0, earlier, texts, t, epsilon }: NoisyPairs): PairErrors {
  const { process } = policyOf(model)
  const predict = guidedPredictor(policyOf(model), encodePrompts(model, texts), { texts, earlier }, 1)
  const prediction = predict(process.noised(x0, epsilon, t), t.to(model.device))
  const losses = denoisingLoss(process, { prediction, x0, epsilon, t })
  const half = texts.length / 2
  return { better: losses.slice(0, 0, half), worse: losses.slice(0, half, 2 * half) }
}

/**
 * Difference of the implicit rewards of both images, logits:
 * d = −(β/2) · [ (e_θ(better) − e_ref(better)) − (e_θ(worse) − e_ref(worse)) ].
 *
 * @param policy    e_θ, [B] each, means over elements
 * @param reference e_ref, [B] each
 * @returns         [B]; above zero where the policy prefers the better image
 * @see Wallace et al. 2023 (Diffusion-DPO, arXiv:2311.12908), Eq. 14, with T and ω(λ_t) in β
 */
export function impliedPreference(policy: PairErrors, reference: PairErrors, beta: number): Tensor {
  const gain = (side: keyof PairErrors) => policy[side].sub(reference[side])
  return gain('better')
    .sub(gain('worse'))
    .mul(-beta / 2)
}
