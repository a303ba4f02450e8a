/**
 * A model of two stages whose optimum is known, whichever of them is the policy. The prior draws two numbers y, the decoder
 * an image of 2 × 2 from them: both are the chain of `gaussian-model.test-helper.ts`, whose prediction of the decoder is
 * moved by coupling · y₀ in the left column and by coupling · y₁ in the right one. Shifts by text and time are the only
 * parameter, of the stage that is the policy.
 *
 * A step of the decoder carries that move on into x₀, which is G · y and more, with G = coupling · Σₜ (∂μₜ/∂prediction · Π a of
 * the later steps). A linear reward of x₀ is linear in y as well, so the prior is a chain with a reward of its own.
 */
import type { CleanStates, Conditioning, GenerativeModel, ModelStage } from '../networks/generative-model.ts'
import type { Change, Weights } from '../networks/weights.ts'
import { zeros } from '../tensor/create.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { chainFor, fullSampler, noShifts, predict, process, ShiftedModel } from './gaussian-model.test-helper.ts'

export const stageNames = ['prior', 'decoder'] as const
/** Pixels that one number of y moves. */
export const pixelsPerNumber = 2
export const coupling = 0.8

const times = fullSampler.steps.length
const sampling = { steps: times, eta: 1, guidance: 1 }

/** G: x₀ of a pixel for each unit of y. */
export const pixelPerNumber = ((): number => {
  const { steps } = chainFor(fullSampler, { rewardSlope: 1, klWeight: 1 })
  const carried = fullSampler.steps.map(({ meanPerPrediction }, i) =>
    steps.slice(i + 1).reduce((product, { a }) => product * a, meanPerPrediction),
  )
  return coupling * carried.reduce((sum, one) => sum + one, 0)
})()

/** y [B, 2] → [B, 1, 2, 2]: a column each. */
const columns = (y: Tensor) => y.unsqueeze(1).unsqueeze(1).expand(-1, 1, 2, 2)

/** The chain's own prediction, and what the stage before says. */
const predictMoved = (xt: Tensor, t: Tensor, condition: Conditioning) => predict(xt, t, condition).add(condition.moved)

class TwoStageModel extends ShiftedModel {
  readonly name = 'two-stage'
  readonly sha256 = 'b'.repeat(64)
  readonly stages: readonly ModelStage[]

  constructor(weights: Weights, policyStage: number) {
    super(weights, policyStage)
    const shiftOf = (place: number, { shift }: Conditioning) => (place === policyStage ? shift : zeros(shift.shape))
    this.stages = [
      {
        name: 'prior',
        process,
        stateShape: [2],
        sampling,
        condition: (text) => ({ shift: shiftOf(0, text) }),
        predict,
      },
      {
        name: 'decoder',
        process,
        stateShape: [1, 2, 2],
        sampling,
        condition: (text, [y]) => ({ shift: shiftOf(1, text), moved: columns(y).mul(coupling) }),
        predict: predictMoved,
      },
    ]
  }

  decode([, image]: readonly Tensor[]): Tensor {
    return image
  }

  /** The image, where it is drawn; else the two numbers as they would move it. */
  preview([y, image]: readonly (Tensor | undefined)[]): Tensor {
    return image ?? columns(y!).mul(pixelPerNumber)
  }

  /** Pictures are 2 × 2 and grey; y of one are the means of its columns. */
  encode(pixels: Tensor): CleanStates {
    const image = pixels.slice(1, 0, 1)
    const y = image.mean([1, 2])
    return this.policyStage === 0 ? { x0: y, earlier: [] } : { x0: image, earlier: [y] }
  }

  with(change: Change): GenerativeModel {
    return new TwoStageModel(this.weights.with(change), this.policyStage)
  }
}

/** Its weights belong to the scope in force. @param policyStage place in {@link stageNames} */
export function twoStageModel(policyStage: 0 | 1): GenerativeModel {
  return new TwoStageModel(noShifts(), policyStage)
}
